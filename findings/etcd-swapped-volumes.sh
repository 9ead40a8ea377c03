#!/usr/bin/env bash
# etcd 3.6.6 (Go modules go.etcd.io/etcd/server/v3 and etcdctl/v3).
#
# Expected: a member that starts with the data directory of another one is refused: --name,
# --initial-advertise-peer-urls and --initial-cluster contradict what is in it.
# Seen: the flags are ignored without an error: the name and id in the directory count. With the volumes
# of e0 and e1 exchanged, the member that has e0's address is listed as "e1" with e1's client address,
# or the other way round, or both. In some runs the second of the two never gets ready.
# Why it matters: a volume that is bound to the wrong ordinal is not noticed at the start, and
# whoever then removes or replaces "e1" by its name takes the other one's data.
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
go_build etcdctl go.etcd.io/etcd/etcdctl/v3 v3.6.6
read -r -a port < <(python3 - <<'END'
import socket
found = [socket.socket() for _ in range(6)]
for s in found: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in found))
END
)
url=http://127.0.0.1
start() { # Starts member e$1 on the data directory $2.
    ./etcd --name "e$1" --data-dir "$2" --listen-peer-urls "$url:${port[$1]}" \
        --initial-advertise-peer-urls "$url:${port[$1]}" --listen-client-urls "$url:${port[$1 + 3]}" \
        --advertise-client-urls "$url:${port[$1 + 3]}" \
        --initial-cluster "e0=$url:${port[0]},e1=$url:${port[1]},e2=$url:${port[2]}" >"log-$1" 2>&1 &
    echo $! >>pids
}
members() {
    for _ in $(seq 60); do
        ./etcdctl --endpoints "$url:${port[5]}" endpoint health >said 2>&1 && break || sleep 0.5
    done
    sleep 3
    ./etcdctl --endpoints "$url:${port[5]}" member list |
        sed "s/:${port[0]}/:peer0/; s/:${port[1]}/:peer1/; s/:${port[3]}/:client0/; s/:${port[4]}/:client1/" |
        grep -v e2, | cut -d, -f2-5 | sort -t, -k3
}

seen=$(
    start 0 d0
    start 1 d1
    start 2 d2
    members
    xargs kill <pids
    wait
    start 0 d1
    start 1 d0
    start 2 d2
    echo "exchanged: $(members | grep -cE "e1, .*peer0, .*client1|e0, .*peer1, .*client0" | sed "s/[12]/some/") with the other's name"
    echo "running: $(jobs -r | wc -l)"
    echo "errors: $(cat log-0 log-1 | grep -cE '"level":"(error|fatal|panic)"')"
)
stated=" started, e0, http://127.0.0.1:peer0, http://127.0.0.1:client0
 started, e1, http://127.0.0.1:peer1, http://127.0.0.1:client1
exchanged: some with the other's name
running: 3
errors: 0"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
