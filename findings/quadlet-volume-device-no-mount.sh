#!/usr/bin/env bash
# Quadlet of podman 5.4.2 (Debian 13).
#
# Expected: a container that keeps its data in a .volume file with `Device=/srv/db` and `Options=bind`
# waits for the mount at /srv/db, as one with `Volume=/srv/db:/data` does.
# Seen: RequiresMountsFor=/srv/db is written for the bind mount only; neither the volume's unit nor the
# container's has it in the other case, nor with Type=bind.
# Why it matters: at boot the container may start before the disk is mounted, and the database makes a
# new data directory on the root file system.
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
printf '[Container]\nImage=docker.io/library/postgres:17\nVolume=/srv/db:/data\n' >units/bind.container
printf '[Container]\nImage=docker.io/library/postgres:17\nVolume=db.volume:/data\n' >units/named.container
printf '[Volume]\nDevice=/srv/db\nType=none\nOptions=bind\n' >units/db.volume

sed s/none/bind/ units/db.volume >units/typed.volume

seen=$(
    QUADLET_UNIT_DIRS=$lab/units root/usr/libexec/podman/quadlet -dryrun 2>/dev/null |
        awk '/^---/ { unit = $0; print unit } /^RequiresMountsFor=\/|^ExecStart=.*volume create/ { print unit, $0 }' |
        sed "s/---//g; s/ExecStart.*--ignore //" | sort
)
stated="bind.service
bind.service RequiresMountsFor=/srv/db
db-volume.service
db-volume.service --opt device=/srv/db --opt type=none --opt o=bind systemd-db
named.service
typed-volume.service
typed-volume.service --opt device=/srv/db --opt type=bind --opt o=bind systemd-typed"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
