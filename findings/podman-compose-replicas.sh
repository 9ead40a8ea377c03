#!/usr/bin/env bash
# podman-compose 1.6.0 (PyPI) on a file that the Compose Specification allows.
#
# Expected: `deploy.replicas: 2` makes two containers; the specification's default mode is "replicated".
# Seen: one container. The number counts only if `deploy.mode: replicated` is written out; the older
# `scale: 2` counts as well. No warning.
# Why it matters: a cluster of three members is one member with the same file, and forms no quorum.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"
export HOME=$lab

python3 -m venv venv
venv/bin/pip --quiet install podman-compose==1.6.0 || exit 2
# Stands in for podman: podman-compose only prints the commands.
printf '#!/bin/sh\n[ "$1" = --version ] && echo podman version 5.4.2 || echo "[]"\n' >podman
chmod +x podman
cat >compose.yml <<'END'
services:
  plain: {image: "postgres:17", deploy: {replicas: 2}}
  moded: {image: "postgres:17", deploy: {mode: replicated, replicas: 2}}
  scaled: {image: "postgres:17", scale: 2}
END

seen=$(
    venv/bin/podman-compose --verbose --dry-run --podman-path "$lab/podman" -p p up -d 2>&1 |
        grep -E "WARN|podman create" | grep -oE "WARN.*|create --name=[a-z0-9_]+" | sort
)
stated="create --name=p_moded_1
create --name=p_moded_2
create --name=p_plain_1
create --name=p_scaled_1
create --name=p_scaled_2"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
