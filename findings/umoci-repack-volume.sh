#!/usr/bin/env bash
# umoci 0.6.0 (Go module github.com/opencontainers/umoci).
#
# Expected: `umoci unpack`, a change, `umoci repack` gives an image with the change.
# Seen: what was put below a path that the image declares as VOLUME is left out of the new layer, exit
# 0, and the log does not say so; a file next to it is kept. --no-mask-volumes packs both.
# Why it matters: an image that should carry a seed of its data directory, or a marker that a mounted
# volume must hide, is built without it.
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
    ./umoci config --image image:a --config.volume /var/lib/db
    ./umoci unpack --rootless --image image:a bundle
    mkdir -p bundle/rootfs/var/lib/db bundle/rootfs/etc/db
    touch bundle/rootfs/var/lib/db/seed bundle/rootfs/etc/db/conf
    ./umoci repack --image image:masked bundle
    cp -r bundle bundle-2
    ./umoci repack --no-mask-volumes --image image:whole bundle-2
} >log 2>&1 || { cat log >&2; exit 1; }

seen=$(
    for tag in masked whole; do
        ./umoci unpack --rootless --image "image:$tag" "out-$tag" 2>/dev/null
        echo "$tag: $(cd "out-$tag/rootfs" && find . -type f | sort | paste -sd" ")"
    done
    echo "log lines on it: $(grep -ciE "mask|volume|skip" log || true)"
)
stated="masked: ./etc/db/conf
whole: ./etc/db/conf ./var/lib/db/seed
log lines on it: 0"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
