#!/usr/bin/env bash
# start-stop-daemon of BusyBox 1.35.0 and of dpkg 1.21.23 (Debian 12).
#
# Expected: `start-stop-daemon --stop --retry TERM/30/KILL/5` returns when the program has ended, and kills it after
# 30 seconds. BusyBox, which takes the option, does so too.
# Seen: dpkg's does. BusyBox sends SIGTERM, returns at once with status 0 while the program still runs, and never sends
# SIGKILL.
# Why it matters: an init script whose restart is "stop, then start" works on Debian. In an image or on a router with
# BusyBox the second server starts beside the first, on the same data directory.
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

debian bookworm busybox-static=1:1.35.0-4+deb12u1+b1 dpkg=1.21.23
cat >service <<'END'
trap 'sleep 2; echo >stopped; exit' TERM
[ "$1" = quick ] || trap '' TERM
echo $$ >pid
for _ in $(seq 100); do sleep 0.1; done
END
row() { # NAME KIND COMMAND: stops a service of the KIND with COMMAND.
    local name=$1 kind=$2 state
    shift 2
    rm -f pid stopped
    bash service "$kind" 2>>log &
    until [ -s pid ]; do sleep 0.1; done
    "$@" --stop --pidfile "$lab/pid" --retry TERM/4/KILL/5 >>log 2>&1 && state="status 0" || state="status $?"
    { kill -0 $! 2>/dev/null && state+=", runs"; } || state+=", has ended"
    [ ! -e stopped ] || state+=" by itself"
    sleep 5
    { kill -0 $! 2>/dev/null && state+="; 5 s later it runs"; } || true
    kill -9 $! 2>/dev/null || true
    wait 2>/dev/null || true
    echo "$name, $kind service: $state"
}

seen=$(
    for kind in quick stubborn; do
        row dpkg $kind root/sbin/start-stop-daemon
        row BusyBox $kind root/bin/busybox start-stop-daemon
    done
)
stated="dpkg, quick service: status 0, has ended by itself
BusyBox, quick service: status 0, runs
dpkg, stubborn service: status 0, has ended
BusyBox, stubborn service: status 0, runs; 5 s later it runs"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
