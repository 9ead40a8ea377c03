#!/usr/bin/env bash
# TAI64N stamps of daemontools 0.76, runit 2.1.2 and s6 2.11.3.2 (Debian 12).
#
# Expected: TAI64N is one format: a log that multilog or svlogd has stamped can be read with s6-tai64nlocal, and the other
# way round, and lines of two loggers sort by time.
# Seen: daemontools and runit write the seconds since 1970 and 10; s6 adds the 27 leap seconds since 1972 as well, as
# the format says. A line of multilog is 27 seconds too early for s6-tai64nlocal, one of s6-log 27 seconds late for tai64nlocal.
# Why it matters: after a change of supervisor, or where one image has runit and another s6, a merged log shows the effect
# before its cause, and the failover half a minute from the crash.
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

debian bookworm daemontools=1:0.76-8.1 runit=2.1.2-54 s6=2.11.3.2-1 libs6-2.11=2.11.3.2-1 libexecline2.9=2.9.3.0-1 \
    libskarnet2.13=2.13.1.1-1
export PATH=$lab/root/usr/bin:$PATH LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu
log() { # Lets LOGGER ARGUMENT... stamp a line in ./log.
    rm -rf log
    mkdir log
    echo line | "$@" >out 2>&1
    cat log/current
}
late() { # How many seconds later than now a line of LOGGER is for READER.
    local now stamped
    now=$(date +%s)
    stamped=$(date +%s --date "$($2 <"$1" | cut -d" " -f1,2)")
    case $((stamped - now)) in
    [-0-4] | -[1-4]) echo 0 ;;
    2[3-9] | 3[01]) echo 27 ;;
    -2[3-9] | -3[01]) echo -27 ;;
    *) echo $((stamped - now)) ;;
    esac
}

seen=$(
    for logger in "multilog t ./log" "svlogd -t ./log" "s6-log t ./log"; do
        read -ra command <<<"$logger"
        log "${command[@]}" >line
        echo "${logger%% *}: $(late line tai64nlocal) seconds for tai64nlocal, $(late line s6-tai64nlocal) for s6-tai64nlocal"
    done
)
stated="multilog: 0 seconds for tai64nlocal, -27 for s6-tai64nlocal
svlogd: 0 seconds for tai64nlocal, -27 for s6-tai64nlocal
s6-log: 27 seconds for tai64nlocal, 0 for s6-tai64nlocal"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
