#!/usr/bin/env bash
# etcd and etcdctl 3.6.6 (Go modules).
#
# Expected: `etcdctl make-mirror` that is stopped and started again brings the copy in line with the source; it begins with a full
# copy each time.
# Seen: the full copy puts keys and removes none. A key that was deleted while it was stopped stays in the copy for good. So does
# a key with a lease: its lease is not copied, and nothing removes the key where the lease ended in the meantime.
# Why it matters: after a restart of the mirror the copy still has the lock or the registration of a member that has long gone.
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

go_build etcd go.etcd.io/etcd/server/v3 v3.6.6
go_build etcdctl go.etcd.io/etcd/etcdctl/v3 v3.6.6
read -r port copy < <(python3 - <<'END'
import socket
found = [socket.socket() for _ in range(2)]
for s in found: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in found))
END
)
start() { # Starts the server NAME at PORT.
    ./etcd --name "$1" --listen-client-urls "http://127.0.0.1:$2" --advertise-client-urls "http://127.0.0.1:$2" \
        --listen-peer-urls http://127.0.0.1:0 --data-dir "$1" >"$1.log" 2>&1 &
    echo $! >>pids
    until ./etcdctl --endpoints "127.0.0.1:$2" endpoint health >health.log 2>&1; do sleep 0.2; done
}
start source "$port"
start copy "$copy"
source=(./etcdctl --endpoints "127.0.0.1:$port")
mirror() { # Runs the mirror until the copy has the key.
    "${source[@]}" make-mirror "127.0.0.1:$copy" >mirror.log 2>&1 &
    echo $! >>pids
    until keys "$copy" | grep -qw "$1"; do sleep 0.2; done
    sleep 1
    kill %% && wait %% 2>/dev/null || true
}
keys() { ./etcdctl --endpoints "127.0.0.1:$1" get "" --prefix --keys-only | grep . | paste -sd" "; }

seen=$(
    lease=$("${source[@]}" lease grant 5 | grep -oE "[0-9a-f]{16}")
    "${source[@]}" put members/db-0 up --lease "$lease" >put.log
    "${source[@]}" put orders/1 open >put.log
    "${source[@]}" put orders/2 open >put.log
    mirror orders/2
    echo "the copy at first: $(keys "$copy")"
    "${source[@]}" del orders/1 >put.log
    while keys "$port" | grep -q members; do sleep 0.5; done
    "${source[@]}" put orders/3 open >put.log
    mirror orders/3
    echo "the source: $(keys "$port")"
    echo "the copy after the second run: $(keys "$copy")"
)
stated="the copy at first: members/db-0 orders/1 orders/2
the source: orders/2 orders/3
the copy after the second run: members/db-0 orders/1 orders/2 orders/3"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
