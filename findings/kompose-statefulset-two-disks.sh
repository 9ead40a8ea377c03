#!/usr/bin/env bash
# kompose 1.38.0 (Go module github.com/kubernetes/kompose).
#
# Expected: a named volume that two services mount stays one volume, as in Compose and as in kompose's Deployments, or
# kompose says that it cannot share it between StatefulSets.
# Seen: with --controller statefulset each service gets a claim template "data" of its own, so there are two disks:
# data-db-0 and data-backup-0. No warning says so.
# Why it matters: the backup reads an empty disk, ends with status 0, and nobody has a copy of the database.
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
cat >compose.yml <<'END'
services:
  db: {image: "postgres:17", ports: ["5432"], volumes: ["data:/var/lib/postgresql/data"]}
  backup: {image: "restic/restic:0.18.0", ports: ["8000"], volumes: ["data:/data"]}
volumes: {data: {}}
END
convert() { # Says where the volume comes from in the objects of kind CONTROLLER, and each warning that names it.
    ./kompose convert -f compose.yml --controller "$1" --stdout >objects.yml 2>log
    awk '/^kind: / { kind = $2; name = "" } /^  name: / && !name { name = $2 }
        /claimName: / { print kind, name, "mounts the claim", $2 }
        /volumeClaimTemplates:/ { print kind, name, "has a claim template" }
        /^kind: PersistentVolumeClaim/ { claim = 1 } claim && /^  name: / { print "claim", $2; claim = 0 }' objects.yml
    echo "warnings about sharing: $(grep -ciE "shar|template|statefulset" log || true)"
}

seen=$(for controller in deployment statefulset; do echo "$controller"; convert $controller | sort; done)
stated="deployment
Deployment backup mounts the claim data
Deployment db mounts the claim data
claim data
warnings about sharing: 0
statefulset
StatefulSet backup has a claim template
StatefulSet db has a claim template
warnings about sharing: 0"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
