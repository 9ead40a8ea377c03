//! Builds the image of the suite locally, without a registry or a network.

use std::fs;
use std::path::Path;

use crate::sh;

/// The name of the image.
pub const NAME: &str = "e2e.test/probe:1";

/// Creates `image/` and `image.tar` below `dir`.
pub fn build(dir: &Path) {
    let root = dir.join("image");
    // The volume plugins use the same files and need the last three folders.
    for folder in
        ["bin", "tmp", "data", "trace", "proc", "sys", "etc", "mounts", "storage", "run/docker/plugins"]
    {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/docker/probe.rs");
    let at = root.display();
    sh::run(&format!(
        "rustc --edition 2024 -O -C target-feature=+crt-static -C strip=symbols {source} -o {at}/probe && \
         install $(command -v busybox) {at}/bin/busybox"
    ));
    // Debian's busybox has no flock, so the image gets flock of util-linux and its libraries.
    sh::run(&format!(
        "f=$(command -v flock) && for f in $f $(ldd $f | grep -o '/[^ ]*'); do install -D $f {at}/$f; done"
    ));
    for applet in ["sh", "nc", "sleep", "cat"] {
        std::os::unix::fs::symlink("busybox", root.join("bin").join(applet)).unwrap();
    }
    sh::run(&format!("tar -C {at} -cf {}/image.tar .", dir.display()));
}
