#!/usr/bin/env bash
# nats-server 2.12.1 (Go module github.com/nats-io/nats-server/v2).
#
# Expected: G is 1000^3 in `max_file_store: 10G`, as in Kubernetes, and GB in `10GB` means the same.
# Seen: G is 1000^3, but GB is 1024^3, the same as Gi and GiB.
# Why it matters: "10GB" asks for 7 % more than a claim or a disk of 10G has. The log of the server prints
# 10G as 9.31 GB.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
cd "$lab"

GOBIN=$lab go install github.com/nats-io/nats-server/v2@v2.12.1 || exit 2
start() { # Starts the server and prints its limit.
    printf 'port: -1\nhttp: "127.0.0.1:0"\njetstream { store_dir: "%s/store", max_file_store: %s }\n' "$lab" "$1" >nats.conf
    rm -f log
    ./nats-server -c nats.conf >log 2>&1 &
    echo $! >>pids
    for _ in $(seq 100); do grep -qs "Server is ready" log && break || sleep 0.1; done
    grep -oE "Max Storage: +[0-9.]+ [A-Z]+" log
    kill $!
    wait
}

seen=$(for size in 10G 10GB 10Gi 10GiB; do echo "$size: $(start $size)"; done)
stated="10G: Max Storage:     9.31 GB
10GB: Max Storage:     10.00 GB
10Gi: Max Storage:     10.00 GB
10GiB: Max Storage:     10.00 GB"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
