#!/usr/bin/env bash
# systemd-repart of systemd 252 and sfdisk of util-linux 2.38.1 (Debian 12), on a file.
#
# Expected: a second definition beside an existing partition makes a second partition; which definition a
# partition belongs to is told by its label.
# Seen: existing partitions are given to the definitions by type alone, in the order of the files' names. With
# 40-audit.conf before 50-orders.conf the partition "orders" counts as audit (and grows to its size), and the new,
# empty partition gets the label "orders" too. "audit" exists nowhere.
# Why it matters: /dev/disk/by-partlabel/orders is one of two partitions, and the database may start on the empty one.
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

debian bookworm systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2 libfdisk1=2.38.1-5+deb12u3 fdisk=2.38.1-5+deb12u3
LD_LIBRARY_PATH=$(dirname "$(find "$lab/root" -name 'libsystemd-shared*')"):$(dirname "$(find "$lab/root" -name 'libfdisk.so.1')")
export LD_LIBRARY_PATH
mkdir repart.d
define() {
    printf '[Partition]\nType=linux-generic\nLabel=%s\nSizeMinBytes=%s\nSizeMaxBytes=%s\n' "$2" "$3" "$3" >"repart.d/$1-$2.conf"
}
repart() { root/bin/systemd-repart --definitions=repart.d --dry-run=no --no-pager --seed=00112233445566778899aabbccddeeff "$@" >out 2>said; }
table() { root/sbin/sfdisk --dump disk | grep -oE "size= *[0-9]+|name=.*" | sed 's/^size= */size=/' | paste -sd" "; }

seen=$(
    define 50 orders 64M
    repart --empty=create --size=400M disk
    echo "first: $(table)"
    define 40 audit 128M
    repart disk
    echo "second: $(table)"
    rm disk repart.d/40-*
    repart --empty=create --size=400M disk
    define 60 audit 128M
    repart disk
    echo "second, named behind: $(table)"
)
stated='first: size=131072 name="orders"
second: size=262144 name="orders" size=131072 name="orders"
second, named behind: size=131072 name="orders" size=262144 name="audit"'
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
