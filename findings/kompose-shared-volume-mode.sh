#!/usr/bin/env bash
# kompose 1.38.0 (Go module github.com/kubernetes/kompose).
#
# Expected: a named volume that one service writes and another mounts with ":ro" becomes a claim that can be written.
# Seen: the service whose name comes first in the alphabet decides. Where it is the reader the claim is ReadOnlyMany; with
# the same file and the database called "a-db" it is ReadWriteOnce. No warning.
# Why it matters: a volume of mode ReadOnlyMany is not made by most drivers, or is mounted read-only, and the
# database does not start; where it is ReadWriteOnce, the backup waits for the database's node. To rename a service
# changes the storage of another one.
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

go_build kompose github.com/kubernetes/kompose v1.38.0
claim() { # The access mode of the claim where DATABASE writes and backup reads.
    cat >compose.yml <<END
services:
  $1: {image: "postgres:17", ports: ["5432"], volumes: ["data:/var/lib/postgresql/data"]}
  backup: {image: "restic/restic:0.18.0", volumes: ["data:/data:ro"]}
volumes: {data: {}}
END
    ./kompose convert -f compose.yml --stdout 2>log | sed -n '/^kind: PersistentVolumeClaim/,/^---/p' |
        sed -nE 's/^  name: //p; s/^ *- (Read.*)/\1/p' | paste -sd" "
}

seen=$(
    echo "a-db and backup: $(claim a-db)"
    echo "db and backup: $(claim db)"
)
stated="a-db and backup: data ReadWriteOnce
db and backup: data ReadOnlyMany"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
