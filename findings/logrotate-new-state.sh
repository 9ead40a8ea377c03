#!/usr/bin/env bash
# logrotate 3.21.0 and anacron 2.3 (Debian 12).
#
# Expected: a log of forty days ago that is to be rotated each week is rotated at the first run.
# Seen: logrotate counts from the first time that it saw the file, and not from the file's date. Where its state file is new
# it only writes that down. In a container that starts again more often than the period, and does not keep the state, weekly
# and daily never happen; `size` does. anacron in the same place does the opposite: without its state each job runs at once.
# Why it matters: the log volume of a member fills up with rotation set up, and the weekly job runs at each restart.
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

debian bookworm logrotate=3.21.0-1 libpopt0=1.19+dfsg-1 anacron=2.3-36
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu
rotated() { # Starts five times with the state file that STATE makes new or keeps.
    rm -rf log state ran spool
    mkdir log spool
    echo old >log/db.log
    touch --date "40 days ago" log/db.log
    printf '%s/log/db.log {\nmissingok\nrotate 4\n%s\n}\n' "$lab" "$2" >conf
    chmod 644 conf
    printf 'SHELL=/bin/sh\nPATH=/usr/bin:/bin\n7 0 weekly.job echo ran >>%s/ran\n' "$lab" >anacrontab
    for _ in 1 2 3 4 5; do
        root/usr/sbin/logrotate --state "$lab/state" conf
        root/usr/sbin/anacron -n -d -s -t "$lab/anacrontab" -S "$lab/spool" >out 2>&1
        [ "$1" = keeps ] || rm -rf state spool/*
    done
    echo "$2, $1 its state: $(cd log && echo *); weekly job of anacron ran $(wc -l <ran)"
}

seen=$(
    rotated loses weekly
    rotated loses daily
    rotated loses "size 1"
    rotated keeps weekly
)
stated="weekly, loses its state: db.log; weekly job of anacron ran 5
daily, loses its state: db.log; weekly job of anacron ran 5
size 1, loses its state: db.log.1; weekly job of anacron ran 5
weekly, keeps its state: db.log; weekly job of anacron ran 1"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
