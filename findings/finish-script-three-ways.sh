#!/usr/bin/env bash
# runsv (runit 2.1.2), s6-supervise (s6 2.11.3.2) and supervise (daemontools 0.76) of Debian 12.
#
# Expected: they share the form of a service directory; `finish` runs after the service has ended, is told how
# it ended, and the service starts again when it is done.
# Seen: runsv waits for `finish` however long it takes; s6-supervise kills it after 5 seconds and starts the
# service over the rest (timeout-finish sets another time); supervise has no `finish`. A service that a signal
# has killed is -1 to the script of runsv, and 256 to that of s6.
# Why it matters: a `finish` that hands a lease back or copies a log is cut off half-way after the move from one
# to another, and its test for a crash is never true.
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

debian bookworm runit=2.1.2-54 daemontools=1:0.76-8.1 s6=2.11.3.2-1 libs6-2.11=2.11.3.2-1 \
    libexecline2.9=2.9.3.0-1 libskarnet2.13=2.13.1.1-1
mkdir db
# Its first run is killed by a signal, the second stays.
cat >db/run <<'END'
#!/bin/sh
echo "run" >>../log
[ "$(grep -c run ../log)" = 1 ] && kill -9 $$
exec sleep 60
END
cat >db/finish <<'END'
#!/bin/sh
echo "finish $1" >>../log
sleep 8
echo "flushed" >>../log
END
chmod +x db/run db/finish

seen=$(
    for supervisor in runsv s6-supervise supervise; do
        rm -rf log db/supervise db/event
        cat >inside <<END
mount -t overlay -o lowerdir=$lab/root/usr/bin:/usr/bin overlay /usr/bin
LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu exec $supervisor db
END
        unshare --mount --pid --fork --mount-proc --kill-child sh inside >out 2>&1 &
        outer=$!
        echo $outer >>pids
        for _ in $(seq 300); do [ "$(grep -c run log 2>/dev/null)" = 2 ] && break || sleep 0.1; done
        echo "$supervisor: $(paste -sd, log)"
        kill -9 $outer
        wait $outer 2>/dev/null || true
    done
)
stated="runsv: run,finish -1,flushed,run
s6-supervise: run,finish 256,run
supervise: run,run"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
