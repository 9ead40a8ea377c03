#!/usr/bin/env bash
# e2fsprogs 1.47.0, btrfs-progs 6.2, genext2fs 1.5.0, erofs-utils 1.5, squashfs-tools 4.5.1, squashfs-tools-ng 1.2.0 of
# Debian 12. Needs root and loop devices.
#
# Expected: a filesystem that is made from a directory (mkfs.ext4 -d) has the directory's owner and mode at its root, as
# it has those of each file in it.
# Seen: mkfs.ext4, mkfs.btrfs, genext2fs and gensquashfs give the root to 0:0 with mode 0755, with status 0. The files
# keep their owner. mkfs.erofs, mksquashfs and tar2sqfs keep that of the root too.
# Why it matters: the root is the data directory itself. A service that runs as 999 can read each file of a prepared
# volume, and can make none.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"
export HOME=$lab

# Unpacks packages of a Debian release into ./root.
debian() {
    local site release=$1 apt
    shift
    site=$(apt-get indextargets --format '$(SITE)' | grep -m1 "debian$")
    mkdir -p apt/partial archives/partial
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $release main" >apt.list
    apt=(apt-get -qq -o "Dir::Etc::SourceList=$PWD/apt.list" -o Dir::Etc::SourceParts=-
        -o "Dir::State::Lists=$PWD/apt" -o "Dir::Cache=$PWD" -o APT::Sandbox::User=root)
    "${apt[@]}" update && "${apt[@]}" download "$@" || exit 2
    for package in *.deb; do dpkg -x "$package" root; done
}

debian bookworm e2fsprogs=1.47.0-2+b2 libext2fs2=1.47.0-2+b2 btrfs-progs=6.2-1+deb12u2 genext2fs=1.5.0-3 \
    erofs-utils=1.5-1 squashfs-tools=1:4.5.1-1 squashfs-tools-ng=1.2.0-1 libsquashfs1=1.2.0-1 liblzo2-2=2.10-2
export LD_LIBRARY_PATH=$lab/root/lib/x86_64-linux-gnu:$lab/root/usr/lib/x86_64-linux-gnu
export PATH=$lab/root/sbin:$lab/root/usr/sbin:$lab/root/bin:$lab/root/usr/bin:$PATH
mkdir data mnt
echo text >data/file
chmod 600 data/file
chmod 700 data
chown -R 999:998 data
row() { # NAME COMMAND: makes the image with COMMAND, and prints owner and mode of its root and of its file.
    local name=$1
    shift
    rm -f image
    [[ $name == *squashfs || $name == tar2sqfs ]] || truncate -s 150M image
    "$@" >>log 2>&1
    echo "$name: $(look)"
}
look() {
    unshare --mount bash -c 'mount -o loop,ro image mnt && stat -c "%u:%g %a" mnt mnt/file' | paste -sd" " | sed 's/ /, file /2'
}

seen=$(
    row mkfs.ext4 mkfs.ext4 -d data image
    row mkfs.btrfs mkfs.btrfs --rootdir data image
    row genext2fs genext2fs -b 4096 -d data image
    row gensquashfs gensquashfs -D data image
    row mkfs.erofs mkfs.erofs image data
    row mksquashfs mksquashfs data image
    row tar2sqfs bash -c 'tar -C data -c . | tar2sqfs image'
)
stated="mkfs.ext4: 0:0 755, file 999:998 600
mkfs.btrfs: 0:0 755, file 999:998 600
genext2fs: 0:0 755, file 999:998 600
gensquashfs: 0:0 755, file 999:998 600
mkfs.erofs: 999:998 700, file 999:998 600
mksquashfs: 999:998 700, file 999:998 600
tar2sqfs: 999:998 700, file 999:998 600"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
