#!/usr/bin/env bash
# Ignition 2.24.0 (`ignition-validate`, Go module github.com/coreos/ignition/v2), systemd 252 (Debian 12).
#
# Expected: a unit that systemd takes without a word can be put in an Ignition config.
# Seen: a comment between continued lines, which systemd skips (systemd.syntax(7)), makes Ignition
# refuse the whole config: "unexpected newline encountered while parsing option name".
# Why it matters: a long `docker run` with a comment per flag is tried out on a running machine with
# `systemctl`, and the next machine cannot be installed from it.
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
cat >db.service <<'END'
[Unit]
Description=db
[Service]
ExecStart=/bin/echo \
# the data
  --all \
  run
END
python3 - >config.ign <<'END'
import json
unit = {"name": "db.service", "contents": open("db.service").read()}
print(json.dumps({"ignition": {"version": "3.4.0"}, "systemd": {"units": [unit]}}))
END

seen=$(
    export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu/systemd:$lab/root/lib/x86_64-linux-gnu/systemd
    echo "systemd: $(root/usr/bin/systemd-analyze verify --man=no ./db.service 2>&1 && echo "exit 0")"
    { ./validate config.ign 2>&1 || true; } | grep -o "invalid unit content.*"
)
stated="systemd: exit 0
invalid unit content: unexpected newline encountered while parsing option name"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
