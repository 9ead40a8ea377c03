#!/usr/bin/env bash
# oras 1.3.0 (Go module oras.land/oras), crane 0.22.1 (github.com/google/go-containerregistry), as root.
#
# Expected: a directory that root pushes with oras, and root pulls, is as it was: its layer is a tar file.
# Seen: the layer has no owners, and each hard link as a file of its own. The directory's mode is in the layer, and pulling
# gives 0755 all the same; files keep theirs.
# Why it matters: a data directory that is kept as an artifact comes back as one that its service cannot read, and that
# PostgreSQL refuses for its mode. Snapshots by hard links (RocksDB, Cassandra) grow by each link.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
cd "$lab"
export HOME=$lab

# Builds PACKAGE at VERSION into ./NAME.
go_build() {
    local module
    module=$(mktemp -d -p .)
    (
        cd "$module"
        go mod init lab && go get "$2@$3" && go build -mod=mod -o "$lab/$1" "$2"
    ) >go.log 2>&1 || { cat go.log >&2; exit 2; }
}

go_build oras oras.land/oras/cmd/oras v1.3.0
go_build crane github.com/google/go-containerregistry/cmd/crane v0.22.1
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
./crane registry serve --address "127.0.0.1:$port" >log 2>&1 &
echo $! >>pids
sleep 1
mkdir -m 700 data
echo orders >data/table
ln data/table data/snapshot
chmod 600 data/table
chown -R 70:70 data
list() {
    find "$1" -maxdepth 0 -printf 'directory: owner %U:%G, mode %m\n'
    find "$1" -type f -printf '%P: owner %U:%G, mode %m, links %n\n' | sort
}

seen=$(
    list data
    ./oras push --plain-http "127.0.0.1:$port/data:a" data >>log 2>&1
    echo "layer:"
    digest=$(./oras manifest fetch --plain-http "127.0.0.1:$port/data:a" |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["layers"][0]["digest"])')
    ./oras blob fetch --plain-http "127.0.0.1:$port/data@$digest" --output layer >>log 2>&1
    python3 -c 'import tarfile
for member in sorted(tarfile.open("layer"), key=lambda member: member.name):
    print(member.name, member.uid, oct(member.mode), member.type.decode())'
    mkdir pulled
    (cd pulled && ../oras pull --plain-http "127.0.0.1:$port/data:a") >>log 2>&1
    echo "pulled:"
    list pulled/data
)
stated="directory: owner 70:70, mode 700
snapshot: owner 70:70, mode 600, links 2
table: owner 70:70, mode 600, links 2
layer:
data 0 0o700 5
data/snapshot 0 0o600 0
data/table 0 0o600 0
pulled:
directory: owner 0:0, mode 755
snapshot: owner 0:0, mode 600, links 1
table: owner 0:0, mode 600, links 1"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
