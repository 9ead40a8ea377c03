#!/usr/bin/env bash
# mkfs.ext4 (e2fsprogs 1.47.0), mkfs.xfs (xfsprogs 6.1.0), mkfs.btrfs (btrfs-progs 6.2), mkfs.f2fs (f2fs-tools
# 1.15.0), mkfs.nilfs2 (nilfs-tools 2.2.9), mkfs.fat (dosfstools 4.2), mkswap (util-linux 2.38.1) of Debian 12.
#
# Expected: none of them writes over a filesystem without its "force" option; mkfs.ext4 asks, and without an
# answer it does nothing.
# Seen: mkfs.ext4 asks only where a terminal is. In a unit or a container it does not even look, and replaces
# an ext4 or XFS filesystem with status 0; so do mkfs.fat and mkswap. The others refuse.
# Why it matters: "format the disk, and go on where it fails because it is formatted" is safe with XFS, and
# with ext4 makes an empty data directory at each start.
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

debian bookworm e2fsprogs=1.47.0-2+b2 libext2fs2=1.47.0-2+b2 xfsprogs=6.1.0-1 liburcu8=0.13.2-1 libinih1=55-1 \
    libicu72=72.1-3+deb12u1 btrfs-progs=6.2-1+deb12u2 f2fs-tools=1.15.0-1 nilfs-tools=2.2.9-1 dosfstools=4.2-1 \
    util-linux=2.38.1-5+deb12u3
export LD_LIBRARY_PATH=$lab/root/lib/x86_64-linux-gnu:$lab/root/usr/lib/x86_64-linux-gnu
export PATH=$lab/root/sbin:$lab/root/usr/sbin:$PATH

seen=$(
    for old in ext4 xfs; do
        for make in mkfs.ext4 mkfs.xfs mkfs.btrfs mkfs.f2fs mkfs.nilfs2 mkfs.fat mkswap; do
            rm -f disk
            truncate -s 400M disk
            "mkfs.$old" -q disk
            "$make" disk </dev/null >said 2>&1 && status=done || status=refused
            echo "$old, then $make: $status, now $(blkid -p -o value -s TYPE disk)"
        done
    done
)
stated="ext4, then mkfs.ext4: done, now ext4
ext4, then mkfs.xfs: refused, now ext4
ext4, then mkfs.btrfs: refused, now ext4
ext4, then mkfs.f2fs: refused, now ext4
ext4, then mkfs.nilfs2: refused, now ext4
ext4, then mkfs.fat: done, now vfat
ext4, then mkswap: done, now swap
xfs, then mkfs.ext4: done, now ext4
xfs, then mkfs.xfs: refused, now xfs
xfs, then mkfs.btrfs: refused, now xfs
xfs, then mkfs.f2fs: refused, now xfs
xfs, then mkfs.nilfs2: refused, now xfs
xfs, then mkfs.fat: done, now vfat
xfs, then mkswap: done, now swap"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
