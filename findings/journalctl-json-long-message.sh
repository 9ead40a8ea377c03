#!/usr/bin/env bash
# journalctl and systemd-journal-remote of systemd 252 (Debian 12).
#
# Expected: `journalctl -o json`, the form for other programs, has the whole of each message, as -o cat has.
# Seen: a message of 4088 bytes or more is null in it, with status 0 and no warning. With --all it is there.
# Why it matters: log shippers and audits read the JSON. They lose the long messages: a stack trace, a slow query, the
# configuration that a server prints at its start.
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

debian bookworm systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2 \
    systemd-journal-remote=252.39-1~deb12u2 libmicrohttpd12=0.9.75-6
LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu:$(dirname "$(find "$lab/root" -name 'libsystemd-shared*')")
export LD_LIBRARY_PATH
python3 - >entries <<'END'
for number, size in enumerate((100, 4087, 4088, 10000)): # "MESSAGE=" counts.
    print(f"__REALTIME_TIMESTAMP={1700000000000000 + number}\n__MONOTONIC_TIMESTAMP={number}")
    print(f"_BOOT_ID=0123456789abcdef0123456789abcdef\nMESSAGE={'x' * size}\n")
END
root/lib/systemd/systemd-journal-remote -o "$lab/node.journal" entries >log 2>&1 || { cat log >&2; exit 2; }
sizes() { python3 -c '
import json, sys
print(*(message and len(message) for message in (json.loads(line)["MESSAGE"] for line in sys.stdin)))'; }
journal() { root/bin/journalctl --file node.journal "$@" 2>>log; }

seen=$(
    echo "-o cat: $(journal -o cat | awk '{printf "%s%d", separator, length; separator = " "}')"
    echo "-o json: $(journal -o json | sizes)"
    echo "-o json --all: $(journal -o json --all | sizes)"
)
stated="-o cat: 100 4087 4088 10000
-o json: 100 4087 None None
-o json --all: 100 4087 4088 10000"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
