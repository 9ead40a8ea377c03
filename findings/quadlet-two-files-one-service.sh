#!/usr/bin/env bash
# Quadlet of podman 5.4.2 (Debian 13).
#
# Expected: data.volume and data-volume.container, or db.container and db.kube, are four files with four names; two of
# them cannot be one unit, or Quadlet refuses them.
# Seen: the first two are both data-volume.service, the others both db.service. Quadlet writes one over the other, without a
# word, status 0. app.container, which mounts data.volume, then requires the container that has taken the place of the volume;
# of db.container nothing is left, but the link in multi-user.target.wants starts db.kube in its place.
# Why it matters: after a file is added another service is gone at the next boot, and `-dryrun` shows both.
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
mkdir units out
printf '[Volume]\n' >units/data.volume
printf '[Container]\nImage=docker.io/library/alpine:3\nExec=watch-disk\n' >units/data-volume.container
printf '[Container]\nImage=docker.io/library/alpine:3\nVolume=data.volume:/data\n' >units/app.container
printf '[Container]\nImage=docker.io/library/postgres:17\n[Install]\nWantedBy=multi-user.target\n' >units/db.container
printf '[Kube]\nYaml=/srv/db.yaml\n' >units/db.kube

seen=$(
    QUADLET_UNIT_DIRS=$lab/units root/usr/libexec/podman/quadlet out >log 2>&1 && status=$? || status=$?
    echo "status $status, messages: $(grep -cvE "Loading source unit file|^$" log || true)"
    for service in data-volume db app; do
        echo "$service.service: of $(sed -nE 's|^SourcePath=.*/||p' out/$service.service)"
    done
    echo "app requires $(sed -nE 's/^Requires=//p' out/app.service)"
    echo "at boot: $(ls out/multi-user.target.wants)"
)
stated="status 0, messages: 0
data-volume.service: of data-volume.container
db.service: of db.kube
app.service: of app.container
app requires data-volume.service
at boot: db.service"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
