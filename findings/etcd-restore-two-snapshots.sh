#!/usr/bin/env bash
# etcd, etcdctl and etcdutl 3.6.6 (Go modules go.etcd.io/etcd/{server,etcdctl,etcdutl}/v3).
#
# Expected: members that are restored from different snapshots of one cluster do not form a cluster, or
# the leader brings the others into line, as Raft does, or a hash check stops them.
# Seen: they form one, all are healthy, and a linearizable read gives another value on each side, for good:
# what differs lies before the first entry of the new log. New writes reach all. No alarm is raised.
# Why it matters: volumes or pods that are each restored from their own latest backup look like a success.
# All members must be restored from one and the same file.
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
go_build etcdutl go.etcd.io/etcd/etcdutl/v3 v3.6.6
read -r -a port < <(python3 - <<'END'
import socket
found = [socket.socket() for _ in range(6)]
for s in found: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in found))
END
)
url=http://127.0.0.1
start() { # Starts member NUMBER with these arguments more, and waits until it serves.
    local number=$1
    shift
    ./etcd --name "e$number" --data-dir "d$number" --listen-peer-urls "$url:${port[number]}" \
        --initial-advertise-peer-urls "$url:${port[number]}" --listen-client-urls "$url:${port[number + 3]}" \
        --advertise-client-urls "$url:${port[number + 3]}" "$@" >"log-$number" 2>&1 &
    echo $! >>pids
}
ready() {
    for _ in $(seq 200); do grep -qs "ready to serve client" "log-$1" && break || sleep 0.1; done
}
ctl() { ./etcdctl --endpoints "$url:${port[$1 + 3]}" "${@:2}" 2>>errors; }

{
    start 0 --initial-cluster "e0=$url:${port[0]}"
    ready 0
    ctl 0 put color red
    ctl 0 snapshot save older
    ctl 0 put color blue
    ctl 0 snapshot save newer
    xargs kill <pids
    wait
    rm -r d0 log-0
} >log 2>&1
members="e0=$url:${port[0]},e1=$url:${port[1]},e2=$url:${port[2]}"
for number in 0 1 2; do
    snapshot=older
    [ $number != 0 ] || snapshot=newer
    ./etcdutl snapshot restore $snapshot --name e$number --data-dir d$number --initial-cluster "$members" \
        --initial-advertise-peer-urls "$url:${port[number]}" >>log 2>&1
    start $number --initial-cluster "$members"
done
for number in 0 1 2; do ready $number; done

seen=$(
    ctl 0 put after restore
    for number in 0 1 2; do
        echo "e$number: $(ctl $number endpoint health | grep -o "is [a-z]*")," \
            "color $(ctl $number get color --print-value-only), after $(ctl $number get after --print-value-only)"
    done
    echo "alarms: $(ctl 0 alarm list)"
)
stated="OK
e0: is healthy, color blue, after restore
e1: is healthy, color red, after restore
e2: is healthy, color red, after restore
alarms: "
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
