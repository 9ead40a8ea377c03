#!/usr/bin/env bash
# podman-compose 1.6.0 (PyPI), Docker Compose 2.26.1 (Debian 13).
#
# Expected: `stop_grace_period: 1h30m`, which the Compose Specification allows, is the time that `down` waits, or is refused.
# Seen: podman-compose reads minutes and seconds only. With an hour in it, or in milliseconds, the option is left out without
# a word, and podman kills the container after its own 10 seconds. 90m, as long, is passed on. Docker Compose reads them all.
# Why it matters: the database that was given the most time to write its data gets the least.
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

seen=$(
    for period in 1m30s 90m 1h 1h30m 1500ms; do
        printf 'services: {db: {image: "postgres:17", stop_grace_period: %s}}\n' $period >compose.yml
        echo "$period: $(venv/bin/podman-compose --verbose --dry-run --podman-path "$lab/podman" -p p down 2>&1 |
            grep -oE "podman stop.*" | head -1)," \
            "Compose $(root/usr/libexec/docker/cli-plugins/docker-compose -p p config | sed -nE 's/.*stop_grace_period: //p')"
    done
)
stated="1m30s: podman stop -t 90 p_db_1, Compose 1m30s
90m: podman stop -t 5400 p_db_1, Compose 1h30m0s
1h: podman stop p_db_1, Compose 1h0m0s
1h30m: podman stop p_db_1, Compose 1h30m0s
1500ms: podman stop p_db_1, Compose 1.5s"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
