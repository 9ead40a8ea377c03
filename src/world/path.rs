//! Paths and shares in files.

use crate::text::path::{shortest, within};

/// Returns the device of a share, `SERVER:/PATH`, with its path in shortest form.
pub fn share(device: &str) -> String {
    match device.split_once(":/") {
        Some((server, path)) => format!("{server}:{}", shortest(&format!("/{path}"))),
        None => device.trim_end_matches('/').to_owned(),
    }
}

/// The words that mark a directory as a network share, if its name is one of them or starts with
/// one of `BEGINNINGS`.
const SHARES: [&str; 17] = [
    "afs", "ceph", "cephfs", "cifs", "efs", "gfs2", "gpfs", "juicefs", "longhorn", "lustre", "moosefs",
    "nas", "nfs", "nfs4", "ocfs2", "samba", "smb",
];
const BEGINNINGS: [&str; 6] = ["beegfs", "gluster", "lizardfs", "nfsshare", "orangefs", "seaweed"];

/// Returns whether the name of a directory says that every node mounts the same one.
pub fn shared(path: &str) -> bool {
    let words = || path.split(['/', '-', '_', '.']).map(str::to_ascii_lowercase);
    let below = |root| within(path, root);
    words().any(|w| SHARES.contains(&w.as_str()) || BEGINNINGS.iter().any(|b| w.starts_with(b)))
        || (below("/mnt") || below("/media"))
            && words().any(|w| ["share", "shared", "shares"].contains(&w.as_str()))
}

/// The folders where disks are mounted (file-hierarchy(7), hier(7)). All other directories of a node are on
/// its boot disk, unless a file says otherwise.
const MOUNTS: [&str; 3] = ["/mnt", "/media", "/run/media"];

/// Returns whether the name of a directory says that it is on a disk of its own.
pub fn on_own_disk(path: &str) -> bool {
    MOUNTS.iter().any(|root| within(path, root))
}

/// The directories of `/usr` and `/usr/local` that belong to the system.
const INSTALLED: [&str; 9] = ["bin", "games", "include", "lib", "lib64", "libexec", "sbin", "share", "src"];
/// The directories of the node that containers mount only to read them.
const LOOKED_AT: [&str; 9] =
    ["/dev", "/etc", "/lib", "/proc", "/run", "/sys", "/usr", "/var/log", "/var/run"];
/// Words in the name of a directory of settings.
const SETTINGS: [&str; 5] = ["cert", "conf", "secret", "ssl", "tls"];

/// Returns what to list about the directory `path` of a node, in shortest form, that is mounted at
/// `target` and does not count as data. It may be data if it is below `/usr`, or for a program that
/// keeps its data in `/etc`.
pub fn doubt(path: &str, target: &str) -> Option<String> {
    let own = path.strip_prefix("/usr/").map(|rest| rest.strip_prefix("local/").unwrap_or(rest));
    let below_usr = own.is_some_and(|own| {
        let first = own.split('/').next().unwrap_or_default();
        first != "local" && !INSTALLED.contains(&first)
    });
    let looked_at = LOOKED_AT.iter().any(|root| within(path, root));
    let below_etc = shortest(target).starts_with("/etc/") && path.len() > 1 && !looked_at;
    // The name shows that it is a file.
    let names = [path, target].map(|p| p.trim_end_matches('/').rsplit('/').next().unwrap_or_default());
    let settings = names.iter().any(|n| n.contains('.') || SETTINGS.iter().any(|s| n.contains(s)));
    let doubt = path.starts_with('/') && (below_usr || below_etc) && !settings;
    doubt.then(|| format!("the directory {path}, mounted at {target}: treated as no data"))
}
