#!/usr/bin/env bash
# podman-compose 1.6.0 (PyPI), Docker Compose 2.26.1 (Debian 13).
#
# Expected: `mode: 01777` or `mode: 0700` of a tmpfs is the mode of the mount: YAML reads an octal number, and the
# Compose Specification has the field as a number.
# Seen: the number is passed on in decimal, mode=1023 and mode=448, and the kernel reads octal. A shared 01777
# becomes 1023, in which the owner can neither read nor write; 0700 is no octal number, and the mount fails.
# Only the quoted "1777" arrives, which Docker Compose refuses: no spelling fits both.
# Why it matters: a database that keeps its socket or its lock on such a mount does not start, or, as root, starts
# and cannot be reached by its clients.
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

debian trixie docker-compose=2.26.1-4
python3 -m venv venv
venv/bin/pip --quiet install podman-compose==1.6.0 || exit 2
# Stands in for podman: podman-compose only prints the commands.
printf '#!/bin/sh\n[ "$1" = --version ] && echo podman version 5.4.2 || echo "[]"\n' >podman
chmod +x podman
mkdir mounted

seen=$(
    for mode in 01777 0700 '"1777"'; do
        printf 'services: {db: {image: "postgres:17", volumes: [{type: tmpfs, target: /run/db, tmpfs: {mode: %s}}]}}\n' "$mode" >compose.yml
        option=$(venv/bin/podman-compose --verbose --dry-run --podman-path "$lab/podman" -p p up -d 2>&1 | grep -oE "tmpfs /run/db:[^ ]*" | head -1)
        echo "$mode: $option, $(unshare --mount --map-root-user sh -c 'mount -t tmpfs -o "$0" tmpfs mounted && stat -c "mounted with %a" mounted' "${option#*:}" 2>/dev/null || echo "no mount")," \
            "Compose $(root/usr/libexec/docker/cli-plugins/docker-compose -p p config >out 2>&1 && echo "takes it" || echo "refuses it")"
    done
)
stated='01777: tmpfs /run/db:mode=1023, mounted with 1023, Compose takes it
0700: tmpfs /run/db:mode=448, no mount, Compose takes it
"1777": tmpfs /run/db:mode=1777, mounted with 1777, Compose refuses it'
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
