#!/usr/bin/env bash
# e2fsprogs 1.47.0, xfsprogs 6.1.0, util-linux 2.38.1, dosfstools 4.2, exfatprogs 1.2.0, parted 3.5 of Debian 12.
#
# Expected: a label that is too long for the filesystem is an error, as a name that is too long is elsewhere.
# Seen: mkfs.ext4, e2label, tune2fs, mkswap, swaplabel, xfs_admin, and sfdisk and parted for the name of a partition
# cut it and end with status 0, the last two without a word. mkfs.xfs and the tools for FAT and exFAT refuse.
# Why it matters: the number of a member stands at the end of its name. The disks "orders-database-0" and
# "orders-database-1" both get the label "orders-database-", and a mount by label takes either.
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
    libicu72=72.1-3+deb12u1 dosfstools=4.2-1 exfatprogs=1.2.0-1+deb12u1 util-linux=2.38.1-5+deb12u3 \
    fdisk=2.38.1-5+deb12u3 libfdisk1=2.38.1-5+deb12u3 parted=3.5-3 libparted2=3.5-3
export LD_LIBRARY_PATH=$lab/root/lib/x86_64-linux-gnu:$lab/root/usr/lib/x86_64-linux-gnu
export PATH=$lab/root/sbin:$lab/root/usr/sbin:$PATH
name=orders-database-0
partition=disks-of-the-database-of-all-orders-0
disk() { # A new disk, with the filesystem that mkfs.$1 makes.
    rm -f disk
    truncate -s 400M disk
    [ $# = 0 ] || "mkfs.$1" disk >said 2>&1 || "mk$1" disk >said 2>&1
}
label() { # Runs COMMAND, says how it ended and which label the disk has.
    "$@" </dev/null >said 2>&1 && status="done" || status=refused
    echo "$1: $status, $(blkid -p -o value -s LABEL disk || true)"
}
row() { # The same for a partition.
    "$@" >said 2>&1 && status="done" || status=refused
    echo "$1: $status, $(sfdisk --part-label disk 1)"
}

seen=$(
    disk; label mkfs.ext4 -q -L "$name" disk
    disk ext4; label e2label disk "$name"
    disk ext4; label tune2fs -L "$name" disk
    disk; label mkswap -L "$name" disk
    disk swap; label swaplabel -L "$name" disk
    disk xfs; label xfs_admin -L "$name" disk
    disk; label mkfs.xfs -L "$name" disk
    disk; label mkfs.fat -n "$name" disk
    disk; label mkfs.exfat -L "$name" disk
    echo "partition $partition:"
    disk; echo "name=$partition" >table; row sfdisk --quiet --label gpt disk <table
    disk; row parted --script disk mklabel gpt mkpart "$partition" ext4 1MiB 100%
)
stated="mkfs.ext4: done, orders-database-
e2label: done, orders-database-
tune2fs: done, orders-database-
mkswap: done, orders-database
swaplabel: done, orders-database
xfs_admin: done, orders-datab
mkfs.xfs: refused, 
mkfs.fat: refused, 
mkfs.exfat: refused, 
partition disks-of-the-database-of-all-orders-0:
sfdisk: done, disks-of-the-database-of-all-orders-
parted: done, disks-of-the-database-of-all-orders-"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
