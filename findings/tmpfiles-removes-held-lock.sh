#!/usr/bin/env bash
# systemd-tmpfiles of systemd 252, flock of util-linux 2.38.1 (Debian 12).
#
# Expected: a lock file that a running process holds locked outlives the cleaning of old files.
# Seen: `systemd-tmpfiles --clean` removes it. The holder keeps a lock on a file without a name, and the
# next process makes a new file and holds "the" lock as well. Only a flock on a *directory* protects
# what is in it; an open or locked file does not.
# Why it matters: a guard such as `flock /tmp/db.lock` (aged after 10 days) or in /var/tmp (30 days) lets
# a second writer in. Lock the data directory itself.
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

debian bookworm systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2 util-linux=2.38.1-5+deb12u3
lock=$lab/root/usr/bin/flock
mkdir -p tmp/dir
touch tmp/db.lock tmp/dir/old
echo "d $lab/tmp - - - 1s" >age.conf
# In time: an age of one second, and two locks that are held over it.
"$lock" -n --no-fork tmp/db.lock sleep 60 &
echo $! >>pids
"$lock" -n --no-fork tmp/dir sleep 60 &
echo $! >>pids
sleep 3

seen=$(
    echo "second holder before: $("$lock" -n tmp/db.lock echo runs || echo refused)"
    LD_LIBRARY_PATH=$(dirname "$(find root -name 'libsystemd-shared*')") root/bin/systemd-tmpfiles --clean "$lab/age.conf"
    echo "left: $(cd tmp && find . -type f | paste -sd" ")"
    echo "second holder after: $("$lock" -n tmp/db.lock echo runs || echo refused)"
)
stated="second holder before: refused
left: ./dir/old
second holder after: runs"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
