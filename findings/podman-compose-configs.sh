#!/usr/bin/env bash
# podman-compose 1.6.0 (PyPI) on a file that the Compose Specification allows.
#
# Expected: `configs:` of a service is mounted, as its `secrets:` are; or refused.
# Seen: the secret is mounted, the config is left out, exit 0, and no line of the output says so.
# Why it matters: the database starts with the image's own settings, and may make its data directory
# somewhere else.
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
touch key conf
cat >compose.yml <<'END'
services:
  db:
    image: postgres:17
    secrets: [key]
    configs: [{source: conf, target: /etc/db.conf}]
secrets: {key: {file: ./key}}
configs: {conf: {file: ./conf}}
END

seen=$(
    venv/bin/podman-compose --verbose --dry-run --podman-path "$lab/podman" -p p up -d >out 2>&1
    echo "exit $?"
    grep "podman create" out | grep -oE "[^ /]*/run/secrets/[^ :]*|/etc/db.conf" || true
    grep -ciE "config.*(not supported|ignor|skip)|/etc/db.conf" out || true
)
stated="exit 0
key:/run/secrets/key
0"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
