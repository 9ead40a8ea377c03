//! Reads the short forms of a stack file (docker/cli `cli/compose/loader`, go-connections `nat`,
//! google/shlex).

/// A mount in the form `SOURCE:TARGET:OPTIONS`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mount {
    /// The source; empty for an anonymous volume.
    pub source: String,
    /// The path in the container.
    pub target: String,
    /// Whether the options contain `ro`.
    pub read_only: bool,
    /// Whether the source is a path of the node and not a volume.
    pub bind: bool,
}

/// Reads a mount; `None` if docker refuses it. docker reads one letter before a colon as a Windows
/// drive, so a volume with such a name cannot be mounted.
pub fn mount(spec: &str) -> Option<Mount> {
    if spec.len() <= 2 {
        return (!spec.is_empty()).then(|| Mount { target: spec.to_owned(), ..Mount::default() });
    }
    let mut sections = vec![String::new()];
    for c in spec.chars() {
        let section = sections.last_mut()?;
        let mut chars = section.chars();
        let drive = chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none();
        if c == ':' && !drive { sections.push(String::new()) } else { section.push(c) }
    }
    if sections.iter().any(String::is_empty) || sections.len() > 3 {
        return None;
    }
    let read_only = sections.get(2).is_some_and(|options| options.split(',').any(|o| o == "ro"));
    let mut sections = sections.into_iter();
    let (first, second) = (sections.next()?, sections.next());
    let Some(target) = second else { return Some(Mount { target: first, ..Mount::default() }) };
    let bind = path(&first);
    Some(Mount { source: first, target, read_only, bind })
}

/// Returns whether docker reads the source of a mount as a path of the node.
fn path(source: &str) -> bool {
    let mut chars = source.chars();
    let (first, second) = (chars.next(), chars.next());
    // An unknown variable in front usually stands for a folder.
    source.starts_with(['.', '/', '~'])
        || source.starts_with("${")
        || source.starts_with(r"\\")
        || first.is_some_and(char::is_alphabetic) && second == Some(':')
}

/// Ports in the form `IP:PUBLISHED:TARGET/PROTOCOL`, where each port may be a range. They are
/// published in ingress mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports {
    /// The first and last port; `None` if docker picks one.
    pub published: Option<(u16, u16)>,
    /// The protocol: `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// The address in front, which Swarm ignores.
    pub address: Option<String>,
}

/// Reads ports; `None` if docker refuses them.
pub fn ports(spec: &str) -> Option<Ports> {
    let mut parts = spec.rsplitn(3, ':');
    let (target, published) = (parts.next()?, parts.next().unwrap_or_default());
    let address = parts.next().map(ToOwned::to_owned);
    // docker ignores everything after a second slash.
    let mut target = target.split('/');
    let (target, protocol) = (target.next()?, target.next().filter(|p| !p.is_empty()));
    let protocol = protocol.unwrap_or("tcp").to_ascii_lowercase();
    let target = range(target)?;
    let published = if published.is_empty() { None } else { Some(range(published)?) };
    let fits = published.is_none_or(|p| target.0 == target.1 || p.1 - p.0 == target.1 - target.0);
    let known = matches!(protocol.as_str(), "tcp" | "udp" | "sctp");
    (fits && known).then(|| Ports { published: published.filter(|p| p.1 > 0), protocol, address })
}

/// Reads a port, or the first and last port of a range.
pub fn range(text: &str) -> Option<(u16, u16)> {
    let port = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (port(first)?, port(last)?);
    (first <= last).then_some((first, last))
}

/// Splits a command line into words; `None` if a quote is not closed.
pub fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => word.get_or_insert_default().push(chars.next()?),
            (c, Some(q)) if c == q => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            ('#', None) if word.is_none() => {
                chars.by_ref().find(|c| *c == '\n');
            }
            (' ' | '\t' | '\r' | '\n', None) => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}
