#!/usr/bin/env bash
# systemd-sysusers of systemd 252 (Debian 12).
#
# Expected: `u db 70` makes the user db with the number 70, or fails where another user has that number.
# Seen: where it is taken, db gets some free number, here 999, with status 0; so does `g`, a group of a fixed number.
# `u db 70:80` makes no user at all where group 80 is missing, with status 0 too. A line on stderr is all that is said.
# Why it matters: a number is written there because a volume or an image has files of that number. On the node where
# it is taken the service cannot read its data directory, and another user can.
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

debian bookworm systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2
LD_LIBRARY_PATH=$(dirname "$(find "$lab/root" -name 'libsystemd-shared*')")
export LD_LIBRARY_PATH
try() { # Makes USERS on a node where 70 is taken by "mail-in".
    rm -rf node
    mkdir -p node/etc/sysusers.d
    echo "mail-in:x:70:70::/:/bin/sh" >node/etc/passwd
    echo "mail-in:x:70:" >node/etc/group
    echo "$1" >node/etc/sysusers.d/db.conf
    root/bin/systemd-sysusers --root "$lab/node" >said 2>&1 && status="done" || status=failed
    echo "$1: $status, $(cut -d: -f1,3 node/etc/passwd node/etc/group | grep "^db" | paste -sd" ")"
}

seen=$(
    try "u db 71"
    try "u db 70"
    try "g db 70"
    try "u db 70:80"
)
stated="u db 71: done, db:71 db:71
u db 70: done, db:999 db:999
g db 70: done, db:999
u db 70:80: done, "
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
