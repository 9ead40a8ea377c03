#!/usr/bin/env bash
# Ignition 2.24.0 (`ignition-validate`, Go module github.com/coreos/ignition/v2), systemd 252 (Debian 12).
#
# Expected: Ignition carries a unit as text, or has systemd's own limit for a line, 1 MiB.
# Seen: a line of 2047 bytes is taken, one of 2048 is refused: "line too long (max 2048 bytes)". The
# parser keeps systemd's limit of 2013. It is that of fleet, too.
# Why it matters: the options of a JVM, or of `docker run`, come to that length in one service and not
# in its neighbour. Continued lines are counted one by one.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

# Builds PACKAGE at VERSION into ./NAME.
go_build() {
    local module
    module=$(mktemp -d -p .)
    (
        cd "$module"
        go mod init lab && go get "$2@$3" && go build -mod=mod -o "$lab/$1" "$2"
    ) >go.log 2>&1 || { cat go.log >&2; exit 2; }
}
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

go_build validate github.com/coreos/ignition/v2/validate v2.24.0
debian bookworm systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2
cat >make.py <<'END'
import json, sys
line = "ExecStart=/bin/echo "
line += "x" * (int(sys.argv[1]) - len(line))
text = f"[Unit]\nDescription=db\n[Service]\n{line}\n"
open("db.service", "w").write(text)
unit = {"name": "db.service", "contents": text}
json.dump({"ignition": {"version": "3.4.0"}, "systemd": {"units": [unit]}}, open("config.ign", "w"))
END

seen=$(
    export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu/systemd:$lab/root/lib/x86_64-linux-gnu/systemd
    for length in 2047 2048 100000; do
        python3 make.py $length
        echo "$length: systemd $(root/usr/bin/systemd-analyze verify --man=no ./db.service 2>&1 && echo "exit 0")," \
            "ignition $(./validate config.ign >said 2>&1 && echo "exit 0" || grep -o "line too.*" said)"
    done
)
stated="2047: systemd exit 0, ignition exit 0
2048: systemd exit 0, ignition line too long (max 2048 bytes)
100000: systemd exit 0, ignition line too long (max 2048 bytes)"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
