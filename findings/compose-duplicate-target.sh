#!/usr/bin/env bash
# Docker Compose 2.26.1 and Docker CLI 26.1.5 (Debian 13).
#
# Expected: two volumes at one path of one service are refused.
# Seen: Compose takes the last one, exit 0, no warning, also if one path is "/data/". The first volume is
# dropped even from the list of volumes. `docker stack config` keeps both.
# Why it matters: a line that is pasted in twice and changed once mounts another, empty volume, and the
# service starts on it.
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

debian trixie docker-cli=26.1.5+dfsg1-9+deb13u1+b1 docker-compose=2.26.1-4
cat >stack.yml <<'END'
services:
  db:
    image: postgres:17
    volumes: ["data:/data", "other:/data/"]
volumes: {data: {}, other: {}}
END

seen=$(
    root/usr/libexec/docker/cli-plugins/docker-compose -p p -f stack.yml config >compose.out 2>compose.err
    echo "compose: $(grep -E "source|target|name: p_(data|other)" compose.out | paste -sd" " | tr -s " "), $(wc -l <compose.err) lines of warning"
    echo "stack: $(root/usr/bin/docker stack config -c stack.yml | grep -E "source|target" | paste -sd" " | tr -s " ")"
)
stated="compose:  source: other target: /data name: p_other, 0 lines of warning
stack:  source: data target: /data source: other target: /data/"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
