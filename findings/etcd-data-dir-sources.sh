#!/usr/bin/env bash
# etcd 3.6.6 (Go module go.etcd.io/etcd/server/v3).
#
# Expected: a flag wins over the environment, and the environment over the file, as is usual.
# Seen: --data-dir beside ETCD_DATA_DIR, even with the same value, ends etcd: "conflicting environment
# variable is shadowed". Beside --config-file the flag is not an error and is not used: the data goes
# where the file says, and if it says nothing, to NAME.etcd in the current directory.
# Why it matters: images set ETCD_DATA_DIR, so a flag added in a manifest keeps the member from starting;
# with a config file the mounted volume stays empty, and the data is in the container.
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

go_build etcd go.etcd.io/etcd/server/v3 v3.6.6
cat >etcd.yaml <<'END'
name: db
listen-client-urls: http://127.0.0.1:0
advertise-client-urls: http://127.0.0.1:0
listen-peer-urls: http://127.0.0.1:0
END
start() { # Runs etcd until it is ready or has ended, and prints where the data is.
    rm -rf volume ./*.etcd
    ./etcd "$@" >log 2>&1 &
    echo $! >>pids
    for _ in $(seq 100); do
        grep -qE "ready to serve|shadowed" log && break || sleep 0.1
    done
    kill $! 2>/dev/null || true
    wait || true
    grep -o "conflicting environment variable is shadowed" log || ls -d volume db.etcd default.etcd 2>/dev/null || true
}
urls=(--listen-client-urls http://127.0.0.1:0 --advertise-client-urls http://127.0.0.1:0 --listen-peer-urls http://127.0.0.1:0)

seen=$(
    echo "flag: $(start "${urls[@]}" --data-dir volume)"
    echo "file and flag: $(start --config-file etcd.yaml --data-dir volume)"
    echo "file and environment: $(ETCD_DATA_DIR=volume start --config-file etcd.yaml)"
    echo "environment and flag: $(ETCD_DATA_DIR=volume start "${urls[@]}" --data-dir volume)"
)
stated="flag: volume
file and flag: db.etcd
file and environment: db.etcd
environment and flag: conflicting environment variable is shadowed"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
