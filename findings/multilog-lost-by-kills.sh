#!/usr/bin/env bash
# multilog (daemontools 0.76), svlogd (runit 2.1.2) and s6-log (s6 2.11.3.2) of Debian 12.
#
# Expected: a logger that keeps three old files of a megabyte keeps the last three megabytes, and drops nothing as long as it
# has written six lines.
# Seen: a logger that is killed closes its file at the next start, however short, and the closed file counts. With n3 multilog
# has only the last three of six lines, and s6-log the last four. svlogd has all six, in more files than it was told.
# Why it matters: a service that is killed again and again, as for lack of memory, has no log of the first time, which is
# the one that tells why. The size limit was never near.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
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

debian bookworm daemontools=1:0.76-8.1 runit=2.1.2-54 s6=2.11.3.2-1 libs6-2.11=2.11.3.2-1 libexecline2.9=2.9.3.0-1 \
    libskarnet2.13=2.13.1.1-1
export PATH=$lab/root/usr/bin:$PATH LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu
try() { # Six times: starts LOGGER ARGUMENT..., writes one line, and kills it.
    local run
    rm -rf log
    mkdir log
    printf 'n3\ns1000000\n' >log/config
    for run in 1 2 3 4 5 6; do
        mkfifo pipe
        "$@" <pipe >out 2>&1 &
        echo $! >>pids
        exec 7>pipe
        echo "run $run" >&7
        until grep -qs "run $run" log/current; do sleep 0.1; done
        kill -9 %% && wait %% 2>/dev/null || true
        exec 7>&-
        rm pipe
    done
    echo "$1: $(cat log/@* log/current | paste -sd,), $(find log -name '@*' | wc -l) old files"
}

seen=$(
    try multilog n3 s1000000 ./log
    try svlogd ./log
    try s6-log n3 s1000000 ./log
)
stated="multilog: run 4,run 5,run 6, 2 old files
svlogd: run 1,run 2,run 3,run 4,run 5,run 6, 5 old files
s6-log: run 3,run 4,run 5,run 6, 3 old files"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
