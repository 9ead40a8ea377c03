#!/usr/bin/env bash
# crane 0.22.1 (Go module github.com/google/go-containerregistry), umoci 0.6.0 (github.com/opencontainers/umoci).
#
# Expected: a flattened image has the files of the layered one.
# Seen: a first layer has db.conf and a second name for it, db.conf.default; a second layer writes another db.conf.
# After `crane flatten` and in the output of `crane export` the two are one file again, and db.conf.default has the text
# of the second layer. Where the second layer removes db.conf, the flattened layer has a link to a file that is not in
# it: unpacking fails. umoci gives the right files from the layered image.
# Why it matters: images keep the defaults they copy into an empty volume that way, and flattening is meant to change
# nothing but the number of layers. (Issue 2002 of go-containerregistry, open.)
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
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

go_build crane github.com/google/go-containerregistry/cmd/crane v0.22.1
go_build umoci github.com/opencontainers/umoci/cmd/umoci v0.6.0
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
./crane registry serve --address "127.0.0.1:$port" >log 2>&1 &
echo $! >>pids
sleep 1
mkdir -p first/etc second/etc third/etc
echo default >first/etc/db.conf
ln first/etc/db.conf first/etc/db.conf.default
echo changed >second/etc/db.conf
touch third/etc/.wh.db.conf
for layer in first second third; do tar -C $layer -cf $layer.tar etc; done
files() { # The two files below DIRECTORY.
    for file in db.conf db.conf.default; do
        echo "    $file: $(cat "$1/etc/$file" 2>/dev/null || echo none)"
    done
}

seen=$(
    for top in second third; do
        image=127.0.0.1:$port/$top
        {
            ./umoci init --layout $top-image
            ./umoci new --image $top-image:a
            ./umoci raw add-layer --image $top-image:a first.tar
            ./umoci raw add-layer --image $top-image:a $top.tar
            ./umoci raw unpack --image $top-image:a $top-umoci
            ./crane push $top-image "$image"
            ./crane flatten "$image" -t "$image-flat"
        } >>log 2>&1
        echo "$top layer, umoci unpack:"
        files $top-umoci
        for from in "$image" "$image-flat"; do
            rm -rf out && mkdir out
            ./crane export "$from" out.tar 2>>log
            tar -C out -xf out.tar 2>>log && status="done" || status=fails
            echo "$top layer, crane export${from#"$image"}, tar: $status"
            files out
        done
    done
)
stated="second layer, umoci unpack:
    db.conf: changed
    db.conf.default: default
second layer, crane export, tar: done
    db.conf: changed
    db.conf.default: changed
second layer, crane export-flat, tar: done
    db.conf: changed
    db.conf.default: changed
third layer, umoci unpack:
    db.conf: none
    db.conf.default: default
third layer, crane export, tar: fails
    db.conf: none
    db.conf.default: none
third layer, crane export-flat, tar: fails
    db.conf: none
    db.conf.default: none"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
