#!/usr/bin/env bash
# Docker CLI 26.1.5 (Debian 13), `docker stack config`; 28.2.2 does the same. Docker Compose 2.26.1.
#
# Expected: in "/srv/$NODE-data" the variable ends at the "-", as in a shell and as in Docker Compose.
# Seen: `docker stack` reads "-data" as the default value of NODE, though there are no braces. The
# suffix is lost while NODE is set; the whole value is "data" while it is not.
# Why it matters: two services that mount "/srv/$NODE-data" and "/srv/$NODE-wal" get one directory.
# "${NODE}-data" is right in both tools.
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
stack() { root/usr/bin/docker stack config -c stack.yml; }
compose() { root/usr/libexec/docker/cli-plugins/docker-compose -f stack.yml config 2>/dev/null; }
sources() { grep -o "source: .*" | paste -sd" "; }

cat >stack.yml <<'END'
services:
  db:
    image: postgres:17
    volumes:
    - {type: bind, source: /srv/$NODE-data, target: /data}
    - {type: bind, source: /srv/$NODE-wal, target: /wal}
END

seen=$(
    export NODE=n1
    echo "stack:   $(stack | sources)"
    echo "compose: $(compose | sources)"
    unset NODE
    echo "stack, NODE not set: $(stack | sources)"
)
stated="stack:   source: /srv/n1 source: /srv/n1
compose: source: /srv/n1-data source: /srv/n1-wal
stack, NODE not set: source: /srv/data source: /srv/wal"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
