#!/usr/bin/env bash
# timeout of coreutils 9.1, BusyBox 1.35.0 and toybox 0.8.9 (Debian 12).
#
# Expected: timeout ends with status 124 when the time is over, as `timeout --help` of coreutils says; BusyBox may have a number
# of its own for it.
# Seen: BusyBox has none: it ends with the status of the program. A program that stops cleanly at SIGTERM, as databases and backup
# tools do, has run out of time with status 0; one without a handler has 143. Also, BusyBox ends the program alone,
# and the other two its children as well. toybox is as coreutils.
# Why it matters: in a script of a small image a dump that was cut off is a success, and the old dump is removed. A probe that
# hangs in a child process leaves one more of them each time.
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

debian bookworm coreutils=9.1-1 busybox=1:1.35.0-4+deb12u1+b1 toybox=0.8.9+dfsg-1
cat >clean <<'END'
trap 'exit 0' TERM
sleep 30 &
wait
END
cat >parent <<'END'
trap 'exit 1' TERM
sh -c 'trap "echo ended >child; exit" TERM; for i in 1 2 3 4 5 6 7 8 9; do sleep 0.3; done; echo "runs on" >child' &
wait
END

seen=$(
    for tool in coreutils busybox toybox; do
        case $tool in
        coreutils) timeout=(root/usr/bin/timeout) ;;
        *) timeout=("root/bin/$tool" timeout) ;;
        esac
        [ -x "${timeout[0]}" ] || timeout[0]=root/usr/bin/$tool
        rm -f child
        "${timeout[@]}" 1 sh clean >out 2>&1 && clean=$? || clean=$?
        "${timeout[@]}" 1 sleep 30 >out 2>&1 && other=$? || other=$?
        "${timeout[@]}" 1 sh parent >out 2>&1 || true
        while [ ! -s child ]; do sleep 0.1; done
        echo "$tool: stops cleanly $clean, sleep $other, its child $(cat child)"
    done
)
stated="coreutils: stops cleanly 124, sleep 124, its child ended
busybox: stops cleanly 0, sleep 143, its child runs on
toybox: stops cleanly 124, sleep 124, its child ended"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
