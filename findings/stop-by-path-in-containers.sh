#!/usr/bin/env bash
# start-stop-daemon (dpkg 1.21.23), killall (psmisc 23.6) and pidof (sysvinit-utils 3.06) of Debian 12.
#
# Expected: with the full path of a program they look for processes of that file; a container has its own file of
# that path, on another filesystem.
# Seen: all three take the container's process for the node's. start-stop-daemon does not start the node's service,
# "already running", and at --stop ends the one in the container; so does killall.
# Why it matters: a package on the node whose script stops its server by path takes the members in containers down
# with it, and one that is to start beside them does not.
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

debian bookworm dpkg=1.21.23 psmisc=23.6-1 sysvinit-utils=3.06-4 busybox-static=1:1.35.0-4+deb12u1+b1
# A node with the program /srv/busybox, and a container with a root of its own.
cat >node <<'END'
mount -t tmpfs node /srv
cp root/bin/busybox /srv/busybox
cat >container <<'INNER'
mount -t tmpfs container /mnt
mkdir /mnt/srv /mnt/node
cp root/bin/busybox /mnt/srv/busybox
cd /mnt
./srv/busybox pivot_root . node
exec /srv/busybox sh -c "/srv/busybox sleep 60; /srv/busybox true"
INNER
begin() { # Starts the container, and leaves the number of its program in $inner.
    unshare --mount --pid --fork --kill-child sh container &
    outer=$!
    echo $outer >>pids
    inner=
    for _ in $(seq 100); do
        inner=$(cut -d" " -f1 "/proc/$outer/task/$outer/children") && [ -n "$inner" ] &&
            [ "$(readlink "/proc/$inner/exe")" = /srv/busybox ] &&
            inner=$(cut -d" " -f1 "/proc/$inner/task/$inner/children") && [ -n "$inner" ] && break || sleep 0.1
    done
    sleep 0.5
}
state() { kill -0 "$inner" 2>/dev/null && echo "runs" || echo "ended"; }
begin
echo "node and container: $(stat -Lc %d:%i "/proc/$inner/exe" /srv/busybox | sort -u | wc -l) files"
[ -n "$(root/bin/pidof /srv/busybox)" ] && echo "pidof: found"
echo "start: $(root/sbin/start-stop-daemon --start --test --exec /srv/busybox)"
root/sbin/start-stop-daemon --stop --quiet --exec /srv/busybox
sleep 1
echo "stop: the container's $(state)"
kill -9 $outer || true
begin
root/usr/bin/killall /srv/busybox
sleep 1
echo "killall: the container's $(state)"
kill -9 $outer || true
END

seen=$(unshare --mount bash node 2>stderr) || cat stderr >&2
stated="node and container: 2 files
pidof: found
start: /srv/busybox already running.
stop: the container's ended
killall: the container's ended"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
