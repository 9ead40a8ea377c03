#!/usr/bin/env bash
# Docker CLI 26.1.5 (Debian 13), `docker stack config`; 28.2.2 does the same. Docker Compose 2.26.1.
#
# Expected: what `docker stack config` prints is the same stack, so that it can be reviewed, kept and
# deployed: `docker stack config -c a.yml | docker stack deploy -c - db`.
# Seen: "$$" is printed as "$", so the next reader takes it for a variable. `docker compose config`
# prints "$$" again.
# Why it matters: a health check or command that says $$PGDATA runs without it after the second
# reading, and both exit 0; a variable that is set on the deploying machine takes its place.
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
    healthcheck: {test: test -f $$PGDATA/PG_VERSION}
END
stack() { root/usr/bin/docker stack config -c "$1" 2>/dev/null; }
compose() { root/usr/libexec/docker/cli-plugins/docker-compose -f "$1" config 2>/dev/null; }
stack stack.yml >stack-1.yml
stack stack-1.yml >stack-2.yml
compose stack.yml >compose-1.yml
compose compose-1.yml >compose-2.yml

seen=$(grep -H -o "test -f.*" stack-1.yml stack-2.yml compose-1.yml compose-2.yml)
stated='stack-1.yml:test -f $PGDATA/PG_VERSION
stack-2.yml:test -f /PG_VERSION
compose-1.yml:test -f $$PGDATA/PG_VERSION
compose-2.yml:test -f $$PGDATA/PG_VERSION'
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
