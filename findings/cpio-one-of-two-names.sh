#!/usr/bin/env bash
# GNU cpio 2.13, bsdtar 3.6.2 (bsdcpio too), BusyBox 1.35.0, toybox 0.8.9 of Debian 12.
#
# Expected: one file that is taken out of a cpio archive comes with its content, or the tool fails.
# Seen: of a file with two names the archive has the content beside the last name alone. GNU cpio gives it for both. For
# the first name bsdcpio, bsdtar and toybox make an empty file with status 0. For the last name bsdcpio makes no file,
# with status 0 too.
# Why it matters: snapshots of databases are made of hard links. A restore of one table's file ends well and
# gives 0 bytes. A restore of the whole archive gives all.
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

debian bookworm cpio=2.13+dfsg-7.1 libarchive-tools=3.6.2-1+deb12u4 busybox-static=1:1.35.0-4+deb12u1+b1 \
    toybox=0.8.9+dfsg-1
mkdir data
echo orders >data/1.sst
ln data/1.sst data/snapshot.sst
find data -type f | sort | root/bin/cpio --quiet -o -H newc >data.cpio
take() { # NAME COMMAND: takes the file out with COMMAND, and says what is there.
    local name=$1
    shift
    rm -rf out && mkdir out
    (cd out && "$@" "$file" <../data.cpio >../said 2>&1) && status="done" || status=fails
    [ -e "out/$file" ] && size="$(wc -c <"out/$file") bytes" || size="no file"
    echo "    $name: $status, $size"
}

seen=$(
    for file in data/1.sst data/snapshot.sst; do
        echo "$file"
        take cpio "$lab/root/bin/cpio" -id
        take bsdcpio "$lab/root/usr/bin/bsdcpio" -id
        take bsdtar "$lab/root/usr/bin/bsdtar" -xf -
        take BusyBox "$lab/root/bin/busybox" cpio -id
        take toybox "$lab/root/bin/toybox" cpio -id
    done
)
stated="data/1.sst
    cpio: done, 7 bytes
    bsdcpio: done, 0 bytes
    bsdtar: done, 0 bytes
    BusyBox: fails, no file
    toybox: done, 0 bytes
data/snapshot.sst
    cpio: done, 7 bytes
    bsdcpio: done, no file
    bsdtar: fails, no file
    BusyBox: done, 7 bytes
    toybox: done, 7 bytes"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
