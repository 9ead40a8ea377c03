#!/usr/bin/env bash
# mountpoint of toybox 0.8.9 and of util-linux 2.38.1 (Debian 12).
#
# Expected: `mountpoint -q DIR` as a guard before a service says the same in every image.
# Seen: toybox compares device numbers, so a bind mount from the same file system "is not a mountpoint",
# and a bind mount of a file is "not a directory". util-linux says "is a mountpoint" to both.
# Why it matters: a container's volume is often a bind mount; the guard refuses a good mount for ever,
# or is taken out because it "does not work".
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

debian bookworm toybox=0.8.9+dfsg-1 util-linux=2.38.1-5+deb12u3
mkdir source bind tmpfs
touch source-file bind-file

seen=$(
    unshare --mount --map-root-user sh -c '
        mount --bind source bind
        mount --bind source-file bind-file
        mount -t tmpfs none tmpfs
        for place in bind bind-file tmpfs source; do
            root/bin/mountpoint $place
            root/bin/toybox mountpoint $place 2>&1
        done; true' | paste -d"|" - - | sed "s/|/ | /"
)
stated="bind is a mountpoint | bind is not a mountpoint
bind-file is a mountpoint | bind-file: not a directory
tmpfs is a mountpoint | tmpfs is a mountpoint
source is not a mountpoint | source is not a mountpoint"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
