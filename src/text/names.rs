//! The grammars of names. Each check returns what is wrong, in words, for the message.

/// What is wrong with a name; `None` if it is valid.
type Wrong = Option<String>;

/// The longest service name: the label of a StatefulSet has 63 characters, and its hash takes 11 of
/// them.
pub const MAX_SERVICE: usize = 52;
/// The longest path.
pub const MAX_PATH: usize = 1024;

fn lower_digit(c: u8) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

/// Checks a DNS label for a Service (RFC 1035): at most `max` characters of `[a-z0-9-]`, a letter
/// first, no dash last.
pub fn label(name: &str, max: usize) -> Wrong {
    let b = name.as_bytes();
    if b.is_empty() {
        return Some("is empty".into());
    }
    if b.len() > max {
        return Some(format!("has {} characters, but at most {max} are allowed", b.len()));
    }
    if !b.iter().all(|c| lower_digit(*c) || *c == b'-') {
        return Some("may contain only lower-case letters, digits and dashes".into());
    }
    if !b[0].is_ascii_lowercase() {
        return Some("must start with a letter".into());
    }
    (b[b.len() - 1] == b'-').then(|| "must not end with a dash".into())
}

/// Checks the name of a service. It becomes the name of a folder, and Windows gives no file or folder the
/// name of a device (Microsoft, "Naming Files, Paths, and Namespaces").
pub fn service(name: &str) -> Wrong {
    let numbered = |device| name.strip_prefix(device).is_some_and(|n| matches!(n.as_bytes(), [b'1'..=b'9']));
    let device = matches!(name, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt");
    let wrong = || device.then(|| "is a device on Windows, where no folder can have this name".into());
    label(name, MAX_SERVICE).or_else(wrong)
}

/// Checks a Kubernetes namespace (RFC 1123): a label that may start with a digit, at most 63
/// characters.
pub fn namespace(name: &str) -> Wrong {
    match name.as_bytes().first() {
        Some(first) if lower_digit(*first) => label(&format!("n{name}"), 64),
        Some(_) => Some("must start with a lower-case letter or a digit".into()),
        None => Some("is empty".into()),
    }
}

/// Checks a revision, from which the name `rREVISION` is made: at most 20 characters of
/// `[a-z0-9-]`, no dash last.
pub fn revision(revision: &str) -> Wrong {
    if revision.is_empty() { Some("is empty".into()) } else { label(&format!("r{revision}"), 21) }
}

/// Checks the value of a Kubernetes label, which is also valid as fleet metadata and in a Swarm
/// constraint: at most 63 characters of `[A-Za-z0-9._-]`, alphanumeric at the end.
pub fn label_value(value: &str) -> Wrong {
    let b = value.as_bytes();
    if b.is_empty() {
        return Some("is empty".into());
    }
    if b.len() > 63 {
        return Some(format!("has {} characters, but at most 63 are allowed", b.len()));
    }
    if !b.iter().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(c)) {
        return Some("may contain only letters, digits, `.`, `_` and `-`".into());
    }
    (!b[0].is_ascii_alphanumeric() || !b[b.len() - 1].is_ascii_alphanumeric())
        .then(|| "must start and end with a letter or a digit".into())
}

/// Checks the key of a Kubernetes label, `name` or `prefix/name`.
pub fn label_key(key: &str) -> Wrong {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if let Some(wrong) = label_value(name) {
        return Some(wrong);
    }
    let prefix = prefix?;
    let good = prefix.len() <= 253
        && !prefix.is_empty()
        && prefix.split('.').all(|p| label(p, 63).is_none() || p.bytes().all(lower_digit) && !p.is_empty());
    (!good).then(|| "has a prefix that is not a DNS name".into())
}

/// Checks a node label that all three orchestrators can use for placement. It has no prefix, so
/// that it is also valid in fleet's metadata and after Swarm's `node.labels.`.
pub fn node_label(key: &str) -> Wrong {
    label_key(key)
}

/// Returns whether the label `key` names a place of many nodes, judged by its last word.
pub fn of_place(key: &str) -> bool {
    const PLACES: [&str; 6] = ["zone", "region", "rack", "az", "datacenter", "dc"];
    PLACES.contains(&last_word(key))
}

/// Returns the last word of the label `key`: `zone` of `topology.kubernetes.io/zone`.
pub fn last_word(key: &str) -> &str {
    key.rsplit(['.', '/', '-', '_']).next().unwrap_or_default()
}

/// Checks the name of a container port on Kubernetes (IANA service name): at most 15 characters of
/// `[a-z0-9-]`, at least one letter, no dash at the ends and no two dashes in a row.
pub fn port(name: &str) -> Wrong {
    let b = name.as_bytes();
    if b.is_empty() || b.len() > 15 {
        return Some("must have 1 to 15 characters".into());
    }
    if !b.iter().all(|c| lower_digit(*c) || *c == b'-') {
        return Some("may contain only lower-case letters, digits and dashes".into());
    }
    let dashes = name.starts_with('-') || name.ends_with('-') || name.contains("--");
    if dashes || !b.iter().any(u8::is_ascii_lowercase) {
        return Some(
            "needs a letter, and must not start or end with a dash or have two dashes in a row".into(),
        );
    }
    None
}

/// Checks the name of an environment variable, by the rules of Kubernetes before 1.32.
pub fn env(name: &str) -> Wrong {
    let b = name.as_bytes();
    if b.is_empty() {
        return Some("is empty".into());
    }
    if b.len() > 253 {
        return Some("has more than 253 characters".into());
    }
    if !b.iter().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(c)) {
        return Some("may contain only letters, digits, `.`, `_` and `-`".into());
    }
    if b[0].is_ascii_digit() {
        return Some("must not start with a digit".into());
    }
    (name == "." || name.starts_with("..")).then(|| "must not be `.` or start with `..`".into())
}

/// Checks the key of a Secret, which is a file name on all targets: at most 253 characters of
/// `[A-Za-z0-9._-]`.
pub fn key(name: &str) -> Wrong {
    let good = !name.is_empty()
        && name.len() <= 253
        && name != "."
        && !name.starts_with("..")
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c));
    (!good).then(|| "may contain only letters, digits, `.`, `_` and `-`".into())
}

/// Checks an absolute path: no `.`, no `..`, no double slash, no slash at the end, and only
/// characters that have no special meaning on any target.
pub fn path(path: &str) -> Wrong {
    if !path.starts_with('/') {
        return Some("must be absolute".into());
    }
    if path.len() > MAX_PATH {
        return Some(format!("has more than {MAX_PATH} characters"));
    }
    if path == "/" {
        return Some("must not be the root".into());
    }
    if path[1..].split('/').any(|p| p.is_empty() || p == "." || p == "..") {
        return Some("must not contain `//`, `.` or `..`, or end with `/`".into());
    }
    (!path.bytes().all(|c| c.is_ascii_alphanumeric() || b"/._-@+".contains(&c)))
        .then(|| "may contain only letters, digits and `/._-@+`".into())
}

/// Returns whether `name` is a DNS name: labels of at most 63 characters, 253 in total.
pub fn dns(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|l| {
            !l.is_empty()
                && l.len() <= 63
                && l.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
                && !l.starts_with('-')
                && !l.ends_with('-')
        })
}

/// Parses an IPv4 or IPv6 address.
pub fn ip(text: &str) -> Option<std::net::IpAddr> {
    text.parse().ok()
}

/// Checks an image reference: `[host[:port]/]path[:tag][@algorithm:hex]`, by the rules of docker's
/// `reference.ParseNormalizedNamed`.
pub fn image(image: &str) -> Wrong {
    let lower = |c: u8| lower_digit(c);
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (image, None),
    };
    if let Some(digest) = digest {
        let good = digest.split_once(':').is_some_and(|(algorithm, hex)| {
            !algorithm.is_empty()
                && algorithm.bytes().all(|c| c.is_ascii_alphanumeric() || b"+._-".contains(&c))
                && hex.len() >= 32
                && hex.bytes().all(|c| c.is_ascii_hexdigit())
        });
        if !good {
            return Some("has a digest that is not `algorithm:hex`".into());
        }
    }
    let slash = rest.rfind('/').map_or(0, |i| i + 1);
    let (name, tag) = match rest[slash..].split_once(':') {
        Some((last, tag)) => (&rest[..slash + last.len()], Some(tag)),
        None => (rest, None),
    };
    if let Some(tag) = tag {
        let good = (1..=128).contains(&tag.len())
            && tag.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c))
            && !tag.starts_with(['.', '-']);
        if !good {
            return Some(format!("has an invalid tag `{tag}`"));
        }
    }
    if name.is_empty() || name.len() > 255 {
        return Some("has no name, or one longer than 255 characters".into());
    }
    let mut parts: Vec<&str> = name.split('/').collect();
    if parts.len() > 1 {
        let first = parts[0];
        if first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|c| c.is_ascii_uppercase())
        {
            parts.remove(0);
            let (host, port) = first.split_once(':').map_or((first, None), |(h, p)| (h, Some(p)));
            let good_port = port.is_none_or(|p| !p.is_empty() && p.bytes().all(|c| c.is_ascii_digit()));
            if !dns(host) || !good_port {
                return Some(format!("has an invalid registry `{first}`"));
            }
        }
    }
    for part in parts {
        let b = part.as_bytes();
        let ends = b.first().is_some_and(|c| lower(*c)) && b.last().is_some_and(|c| lower(*c));
        if !ends || !b.iter().all(|c| lower(*c) || b"._-".contains(c)) {
            return Some(
                "may contain only lower-case letters, digits, `.`, `_`, `-` and `/` in its name".into(),
            );
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_references_are_checked_as_docker_does() {
        for good in [
            "redis",
            "redis:7.4.1",
            "docker.io/library/redis:7.4.1",
            "registry.local:5000/a/b_c-d:v1",
            "localhost:5000/x",
            "r.io/x@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "r.io/x:t@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ] {
            assert_eq!(image(good), None, "{good}");
        }
        for bad in [
            "",
            "Redis",
            "redis:",
            "redis: 7",
            "a//b",
            "a/b:c/d",
            "x@sha256:12",
            "re dis",
            "-x",
            "r_.io:x/y",
            "a:b:c",
            "x\ny",
        ] {
            assert!(image(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn invalid_paths_and_labels_are_refused() {
        for bad in ["", "/", "x", "/x/", "/x//y", "/../x", "/x/.", "/x y", "/x:y", "/x\"", "/x%"] {
            assert!(path(bad).is_some(), "{bad}");
        }
        assert_eq!(path("/mnt/d1/zookeeper-1"), None);
        assert!(label("a.b", 63).is_some() && label("1a", 63).is_some() && label("a-", 63).is_some());
        assert!(label_key("a/b/c").is_some() && label_key("x.io/role").is_none());
        assert!(port("a--b").is_some() && port("123").is_some() && port("http2").is_none());
    }
}
