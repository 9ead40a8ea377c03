#!/usr/bin/env bash
# Quadlet of podman 5.4.2 (Debian 13).
#
# Expected: StopTimeout=300 gives the container five minutes to stop; the unit that is made of it waits at least as long.
# Seen: podman is told `--stop-timeout 300`, and the unit has no TimeoutStopSec. systemd ends `podman rm`, and with it the
# container, at its own default of 90 seconds.
# Why it matters: a database that needs more than 90 seconds to stop is killed, and its next start is a recovery, though
# the unit says otherwise. TimeoutStopSec in [Service] has to be set too, and higher.
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
printf '[Container]\nImage=docker.io/library/postgres:17\nStopTimeout=300\n' >units/db.container
(cat units/db.container && printf '[Service]\nTimeoutStopSec=330\n') >units/both.container

seen=$(
    QUADLET_UNIT_DIRS=$lab/units root/usr/libexec/podman/quadlet -dryrun 2>/dev/null |
        grep -oE -e "^---.*---$|--stop-timeout[ =][0-9]+|^TimeoutStopSec=.*"
)
stated="---both.service---
TimeoutStopSec=330
--stop-timeout 300
---db.service---
--stop-timeout 300"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
