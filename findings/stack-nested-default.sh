#!/usr/bin/env bash
# Docker CLI 26.1.5 (Debian 13), `docker stack config`; 28.2.2 does the same. Docker Compose 2.26.1.
#
# Expected: "${DATA:-${BASE}/db}" is either resolved or refused by both tools.
# Seen: Docker Compose resolves the inner variable. `docker stack` exits 0 and leaves the inner text
# there, with the "}" moved: the value is the literal "${BASE/db}".
# Why it matters: a file that is tried out with Compose mounts another path, or none, in Swarm.
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
    environment:
      PGDATA: "${DATA:-${BASE}/db}"
END
export BASE=/srv

seen=$(
    echo "stack:   $(root/usr/bin/docker stack config -c stack.yml | grep PGDATA)"
    echo "compose: $(root/usr/libexec/docker/cli-plugins/docker-compose -f stack.yml config | grep PGDATA)"
)
stated='stack:         PGDATA: ${BASE/db}
compose:       PGDATA: /srv/db'
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
