#!/usr/bin/env bash
# composerize 1.7.6 (npm), Docker Compose 2.26.1 (Debian 13).
#
# Expected: composerize turns `docker run` into a Compose file of the same mounts, and prints "ignored options"
# for what it cannot turn.
# Seen: `--mount …,readonly` (or `ro`) becomes a mount that can be written to, without a word; `-v …:ro` stays
# read-only. volume-nocopy is gone as well, so that an empty volume is filled from the image.
# Why it matters: a backup or an exporter that was only to read a member's data directory can write to it.
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
npm install --silent --no-fund composerize@1.7.6 || exit 2

seen=$(
    for mount in "-v /srv/db:/data:ro" "--mount type=bind,source=/srv/db,target=/data,readonly" \
        "--mount type=volume,source=db,target=/data,volume-nocopy"; do
        node_modules/.bin/composerize "docker run --name backup $mount postgres:17" >compose.yml
        echo "$mount: $(grep -ciE "ignored" compose.yml || true) ignored," \
            "$(root/usr/libexec/docker/cli-plugins/docker-compose -p p config | grep -oE "read_only: true|nocopy: true" || echo "nothing left")"
    done
)
stated="-v /srv/db:/data:ro: 0 ignored, read_only: true
--mount type=bind,source=/srv/db,target=/data,readonly: 0 ignored, nothing left
--mount type=volume,source=db,target=/data,volume-nocopy: 0 ignored, nothing left"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
