#!/usr/bin/env bash
# Docker CLI 26.1.5 (Debian 13), `docker stack config`; Docker Compose 2.26.1; podman-compose 1.6.0.
#
# Expected: "v:/data" mounts the named volume v at /data. A name of one letter is valid.
# Seen: both Docker tools take "v:" for a Windows drive: an anonymous volume at the path "v:/data",
# exit 0, no warning, also on Linux. With ":ro" it is a bind mount of the host path "v:/data" at "ro".
# The longer name "db" and the long syntax are read as a volume; podman-compose reads "v" as one, too.
# Why it matters: the data is written into the container, or a nameless volume, and is gone with it.
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
  one: {image: "postgres:17", volumes: ["v:/data"]}
  ro: {image: "postgres:17", volumes: ["v:/data:ro"]}
  two: {image: "postgres:17", volumes: ["db:/data"]}
volumes: {v: {}, db: {}}
END
python3 -m venv venv
venv/bin/pip --quiet install podman-compose==1.6.0 || exit 2
# Stands in for podman: podman-compose only prints the commands.
printf '#!/bin/sh\n[ "$1" = --version ] && echo podman version 5.4.2 || echo "[]"\n' >podman
chmod +x podman
mounts() {
    python3 -c 'import json, sys, yaml
for name, service in sorted(yaml.safe_load(sys.stdin)["services"].items()):
    for m in service["volumes"]: print(name, m["type"], m.get("source"), m["target"])'
}

seen=$(
    # shellcheck disable=SC1091
    . venv/bin/activate
    echo "docker stack:"
    root/usr/bin/docker stack config -c stack.yml | mounts
    echo "docker compose:"
    root/usr/libexec/docker/cli-plugins/docker-compose -p p -f stack.yml config | mounts
    echo "podman-compose:"
    podman-compose --verbose --dry-run --podman-path "$lab/podman" -p p -f stack.yml up -d 2>&1 |
        grep -oE "create --name=p_one_1|type=volume,source=p_v,destination=/data$|type=volume,source=p_v,destination=/data " |
        head -2
)
stated="docker stack:
one volume None v:/data
ro bind v:/data ro
two volume db /data
docker compose:
one volume None v:/data
ro bind v:/data ro
two volume db /data
podman-compose:
create --name=p_one_1
type=volume,source=p_v,destination=/data "
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
