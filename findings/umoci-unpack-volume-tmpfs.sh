#!/usr/bin/env bash
# umoci 0.6.0 (Go module github.com/opencontainers/umoci) and any OCI runtime that takes its bundle.
#
# Expected: the bundle that `umoci unpack` makes of an image with VOLUME /var/lib/db keeps what the
# service writes there in the bundle's rootfs; docker and podman give such a path a directory on disk.
# Seen: config.json mounts a tmpfs there, with noexec.
# Why it matters: `runc run` of that bundle keeps the database in memory, hides what the image has at
# that path, and loses the data when the container ends.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

# Builds PACKAGE at VERSION into ./NAME.
go_build() {
    local module
    module=$(mktemp -d -p .)
    (
        cd "$module"
        go mod init lab && go get "$2@$3" && go build -mod=mod -o "$lab/$1" "$2"
    ) >go.log 2>&1 || { cat go.log >&2; exit 2; }
}

go_build umoci github.com/opencontainers/umoci/cmd/umoci v0.6.0
{
    ./umoci init --layout image
    ./umoci new --image image:a
    ./umoci config --image image:a --config.volume /var/lib/db --config.cmd /bin/db
    ./umoci unpack --rootless --image image:a bundle
} >log 2>&1 || { cat log >&2; exit 1; }

seen=$(
    python3 - <<'END'
import json
for mount in json.load(open("bundle/config.json"))["mounts"]:
    if mount["destination"].startswith("/var"):
        print(mount["destination"], mount["type"], "noexec" in mount["options"])
END
)
stated="/var/lib/db tmpfs True"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
