#!/usr/bin/env bash
# sqlite3 3.40.1 (Debian 12).
#
# Expected: `.dump` and `.clone` give the whole database back, as `.backup` and VACUUM INTO do.
# Seen: both leave out user_version and application_id, the two numbers of the header that belong to the
# application; the copies have 0.
# Why it matters: services keep the version of their schema in user_version. One that is restored from a dump sees
# version 0 and a schema that is there, and runs its first migration on it.
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

debian bookworm sqlite3=3.40.1-2+deb12u2 libsqlite3-0=3.40.1-2+deb12u2 libreadline8=8.2-1.3 libtinfo6=6.4-4
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu:$lab/root/lib/x86_64-linux-gnu
sqlite() { root/usr/bin/sqlite3 -init /dev/null "$@"; }
sqlite db "PRAGMA user_version = 42; PRAGMA application_id = 7; CREATE TABLE orders (id); INSERT INTO orders VALUES (1);"

seen=$(
    sqlite db .dump | sqlite dump
    sqlite db ".clone clone" >said
    sqlite db ".backup backup"
    sqlite db "VACUUM INTO 'vacuum'"
    for copy in dump clone backup vacuum; do
        echo "$copy: $(sqlite $copy "SELECT count(*) FROM orders; PRAGMA user_version; PRAGMA application_id" | paste -sd" ")"
    done
)
stated="dump: 1 0 0
clone: 1 0 0
backup: 1 42 7
vacuum: 1 42 7"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
