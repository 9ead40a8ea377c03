#!/usr/bin/env bash
# rsnapshot 1.4.5, rsync 3.2.7 of Debian 12, as root.
#
# Expected: a snapshot of rsnapshot stays as it was taken.
# Seen: the files that did not change are one file in all snapshots, by hard links. When only the owner or the mode
# changes at the source, rsync sets it on that one file: the older snapshots have the new owner too. With
# `link_dest 1`, off by default, the file is copied and they keep theirs.
# Why it matters: one change of owner or group in the data directory, by mistake or by fsGroup at the start of a pod, is
# in every snapshot, and what it was before cannot be restored.
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

debian bookworm rsnapshot=1.4.5-1 liblchown-perl=1.01-4+b1 rsync=3.2.7-1+deb12u6 libpopt0=1.19+dfsg-1
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu
PERL5LIB=$lab/root/usr/share/perl5:$(dirname "$(find "$lab/root" -name Lchown.pm)")
export PERL5LIB
history() { # Two snapshots, with a chown between them; OPTION of rsnapshot.
    rm -rf data snapshots
    mkdir data snapshots
    echo orders >data/table
    chown 70:70 data/table
    chmod 600 data/table
    printf '%s\t%s\n' config_version 1.2 snapshot_root "$lab/snapshots/" cmd_rsync "$lab/root/usr/bin/rsync" \
        lockfile "$lab/lock" retain "hourly	3" backup "$lab/data/	node/" "$@" >rsnapshot.conf
    root/usr/bin/rsnapshot -c rsnapshot.conf hourly
    chown 999:999 data/table
    chmod 640 data/table
    root/usr/bin/rsnapshot -c rsnapshot.conf hourly
    for snapshot in hourly.1 hourly.0; do
        find snapshots/$snapshot -name table -printf "$snapshot: owner %U, mode %m\n"
    done
}

seen=$(
    history
    echo "link_dest:"
    history link_dest 1
)
stated="hourly.1: owner 999, mode 640
hourly.0: owner 999, mode 640
link_dest:
hourly.1: owner 70, mode 600
hourly.0: owner 999, mode 640"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
