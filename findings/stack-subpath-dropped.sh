#!/usr/bin/env bash
# Docker CLI 26.1.5 (Debian 13), `docker stack config`. Docker Compose 2.26.1.
#
# Expected: `volume: {subpath: a}` of a mount is honoured, or refused as an unknown key, as `docker stack`
# does with other keys that it does not have ("additional property").
# Seen: it is accepted and left out, next to nocopy, which is kept; exit 0, no warning. Compose keeps it.
# Why it matters: two members that share a volume by subpaths mount the whole of it, both in one directory.
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
mount() {
    cat >stack.yml <<END
services:
  db:
    image: postgres:17
    volumes: [{type: volume, source: data, target: /data, volume: {nocopy: true, $1: a}}]
volumes: {data: {}}
END
}
keys() { grep -oE "subpath.*|nocopy.*" | sort | paste -sd" "; }

seen=$(
    mount subpath
    echo "stack: $(root/usr/bin/docker stack config -c stack.yml 2>&1 | keys)"
    echo "compose: $(root/usr/libexec/docker/cli-plugins/docker-compose -p p -f stack.yml config | keys)"
    sed -i "s/services:/&\n  other: {image: a, subpath: a}/" stack.yml
    echo "an unknown key elsewhere: $(root/usr/bin/docker stack config -c stack.yml 2>&1 | grep -o "Additional property.*")"
)
stated="stack: nocopy: true
compose: nocopy: true subpath: a
an unknown key elsewhere: Additional property subpath is not allowed"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
