#!/usr/bin/env bash
# Quadlet of podman 5.4.2, `quadlet -dryrun` (Debian 13).
#
# Expected: HealthCmd= is passed on as it is written.
# Seen: if its last word is quoted, the closing quote is lost, and only that one. The same command with a
# word after it is whole.
# Why it matters: the health check is a shell syntax error: with Notify=healthy the unit never starts,
# with HealthOnFailure=kill a good database is killed again and again.
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

debian trixie podman=5.4.2+ds1-2+b2
mkdir units
printf '[Container]\nImage=docker.io/library/postgres:17\nHealthCmd=pg_isready -U "app"\n' >units/last.container
printf '[Container]\nImage=docker.io/library/postgres:17\nHealthCmd=pg_isready -U "app" -q\n' >units/middle.container

seen=$(
    QUADLET_UNIT_DIRS=$lab/units root/usr/libexec/podman/quadlet -dryrun 2>/dev/null |
        grep -oE -- '--health-cmd .*' | sed 's/ docker.io.*//' | sort
)
stated='--health-cmd "pg_isready -U \"app"
--health-cmd "pg_isready -U \"app\" -q"'
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
