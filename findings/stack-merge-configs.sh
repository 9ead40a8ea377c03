#!/usr/bin/env bash
# Docker CLI 26.1.5 (Debian 13), `docker stack config -c a.yml -c b.yml`. Docker Compose 2.26.1.
#
# Expected: as with volumes, a config of the second file is added unless it has the target of one that
# is there: both tools give the file at /etc/a.conf and at /etc/b.conf.
# Seen: `docker stack` merges configs and secrets by their source: the mount at /etc/a.conf is gone,
# and its mode with it, exit 0. In one file the same list is two mounts. Compose merges by target.
# Why it matters: an overlay that adds a second path takes the first one from the running service.
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
echo x >conf
cat >a.yml <<'END'
version: "3.9"
services:
  db:
    image: postgres:17
    configs: [{source: conf, target: /etc/a.conf, mode: 0400}]
    secrets: [{source: key, target: a.key}]
configs: {conf: {file: ./conf}}
secrets: {key: {file: ./conf}}
END
cat >b.yml <<'END'
version: "3.9"
services:
  db:
    configs: [{source: conf, target: /etc/b.conf}]
    secrets: [{source: key, target: b.key}]
END
targets() { grep -o "target: .*" | sort | paste -sd" "; }

seen=$(
    echo "stack:   $(root/usr/bin/docker stack config -c a.yml -c b.yml | targets)"
    echo "compose: $(root/usr/libexec/docker/cli-plugins/docker-compose -p p -f a.yml -f b.yml config 2>/dev/null | targets)"
)
stated="stack:   target: /etc/b.conf target: b.key
compose: target: /etc/a.conf target: /etc/b.conf target: a.key target: b.key"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
