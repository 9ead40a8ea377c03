//! Parses the names of images, as files write them:
//! `registry.local:5000/mirror/docker.io/library/postgres:16@sha256:…`.

/// The directories of a registry that contain the images of another registry under their original
/// names.
const MIRRORS: [&str; 14] = [
    "_",
    "cache",
    "docker",
    "docker-hub",
    "docker-io",
    "docker.io",
    "dockerhub",
    "hub",
    "library",
    "mirror",
    "mirrors",
    "proxy",
    "remote",
    "docker-remote",
];
/// The namespaces of Docker's own images for one machine architecture.
const MACHINES: [&str; 9] =
    ["amd64", "arm32v5", "arm32v6", "arm32v7", "arm64v8", "i386", "ppc64le", "riscv64", "s390x"];
/// The vendors with several names.
const VENDORS: [(&str, &str); 2] = [("bitnamilegacy", "bitnami"), ("bitnamisecure", "bitnami")];

/// The words that vendors write before the name of a software.
const BEFORE: [&str; 5] = ["docker-", "kubernetes-", "k8s-", "cp-", "ubi-"];
const AFTER: [&str; 14] = [
    "-kubernetes",
    "-docker",
    "-k8s",
    "-oss",
    "-server",
    "-ha",
    "-cluster",
    "-community",
    "-enterprise",
    "-standalone",
    "-alpine",
    "-kraft",
    "-native",
    "-wolfi",
];

/// Returns the image without its registry, tag and digest: `elasticsearch/elasticsearch`,
/// `bitnami/kafka`.
pub fn path(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    let image = match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    };
    let image = match image.split_once('/') {
        Some((host, rest)) if is_host(host) => rest,
        _ => image,
    };
    image.strip_prefix("library/").unwrap_or(image)
}

/// The registries from which everyone can pull.
const PUBLIC: [&str; 12] = [
    "container-registry.oracle.com",
    "docker.elastic.co",
    "docker.io",
    "gcr.io",
    "ghcr.io",
    "index.docker.io",
    "k8s.gcr.io",
    "mcr.microsoft.com",
    "public.ecr.aws",
    "quay.io",
    "registry.hub.docker.com",
    "registry.k8s.io",
];

/// Returns whether `image` is `HOST/NAME` of a registry that is not public: its owner may have built it.
pub fn private(image: &str) -> bool {
    let host = image.split_once('/').map(|(host, _)| host).filter(|host| is_host(host));
    host.is_some_and(|host| !PUBLIC.contains(&host))
        && !path(image).contains('/')
        && !image.contains("/library/")
}

fn is_host(part: &str) -> bool {
    part.contains(['.', ':']) || part == "localhost"
}

/// Returns the tag, if it is known and names a version.
pub fn tag(image: &str) -> Option<&str> {
    let image = image.split('@').next().unwrap_or(image);
    let (_, tag) = image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'))?;
    let known = !tag.is_empty() && tag != "latest" && !tag.contains(['$', '{', '}']);
    known.then_some(tag)
}

/// How the name of an image leaves its version open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Floats {
    /// It has no tag, which means `latest`.
    Untagged,
    /// Its tag names no version, such as `latest`, `stable` or `alpine`.
    Tag(String),
}

/// Returns how the version of `image` is open; `None` if a digest or a tag names one, or if a variable
/// may.
pub fn floats(image: &str) -> Option<Floats> {
    if image.is_empty() || image.contains(['@', '$', '{', '<']) {
        return None;
    }
    match image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
        Some((_, tag)) => {
            let moves = tag.starts_with("latest") || !tag.contains(|c: char| c.is_ascii_digit());
            moves.then(|| Floats::Tag(tag.to_owned()))
        }
        None => Some(Floats::Untagged),
    }
}

/// Returns the names under which the table may have an image, the longest first. Ambiguous names
/// are left out.
pub fn certain(path: &str) -> Vec<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let mut names = Vec::new();
    for start in 0..parts.len() {
        let (before, name) = parts.split_at(start);
        let passes_on = |part: &&str| MIRRORS.contains(part) || MACHINES.contains(part) || is_host(part);
        // A single word after the name of a vendor is the vendor's own image.
        let clear = name.len() > 1 || before.iter().all(passes_on) || before.last() == Some(&"library");
        if clear {
            names.push(name.iter().map(|part| own(part)).collect::<Vec<_>>().join("/"));
        }
    }
    names
}

/// Returns the vendor of an image, under the name that the table uses.
pub fn vendor(path: &str) -> Option<&str> {
    path.rsplit('/').nth(1).map(own)
}

fn own(vendor: &str) -> &str {
    VENDORS.iter().find(|(other, _)| *other == vendor).map_or(vendor, |(_, own)| own)
}

/// Returns the last part of a name, also without the words that vendors add to the name of a
/// software.
pub fn likely(path: &str) -> Vec<String> {
    let mut name = path.rsplit('/').next().unwrap_or_default().replace('_', "-");
    let mut names = vec![name.clone()];
    loop {
        let before = BEFORE.iter().find_map(|b| name.strip_prefix(b));
        let Some(short) = before.or_else(|| AFTER.iter().find_map(|a| name.strip_suffix(a))) else {
            return names;
        };
        name = short.to_owned();
        names.push(name.clone());
    }
}
