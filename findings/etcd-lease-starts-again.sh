#!/usr/bin/env bash
# etcd 3.6.6 (Go modules go.etcd.io/etcd/server/v3 and etcdctl/v3), Redis 7.0.15 (Debian 12).
#
# Expected: a key with a lease of 20 seconds is gone 20 seconds after its owner is, also if the server was restarted in
# between, as in Redis, which writes down when a key ends.
# Seen: at each start of a server that has one member, and at each election of a leader, etcd gives each lease its whole time
# again: with a stop each 12 seconds a key of 20 seconds lives on, without a keep-alive.
# Why it matters: a lock, a leader's key or a discovery entry of a dead process outlives each update of etcd by its whole time;
# with a lease of a day, and a restart each night, it never ends. The lease's promise is "not earlier", never "not later".
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
cd "$lab"

# Unpacks packages of a Debian release into ./root.
debian() {
    local site release=$1 apt
    shift
    site=$(apt-get indextargets --format '$(SITE)' | grep -m1 "debian$")
    mkdir -p apt/partial archives/partial
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $release main" >apt.list
    apt=(apt-get -qq -o "Dir::Etc::SourceList=$PWD/apt.list" -o Dir::Etc::SourceParts=-
        -o "Dir::State::Lists=$PWD/apt" -o "Dir::Cache=$PWD" -o APT::Sandbox::User=root)
    "${apt[@]}" update && "${apt[@]}" download "$@" || exit 2
    for package in *.deb; do dpkg -x "$package" root; done
}

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
debian bookworm redis-tools=5:7.0.15-1~deb12u7 libjemalloc2=5.3.0-1 liblzf1=3.6-3
ln -s root/usr/bin/redis-check-rdb redis-server
read -r client peer < <(python3 - <<'END'
import socket
found = [socket.socket() for _ in range(2)]
for s in found: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in found))
END
)
url=http://127.0.0.1
libraries=$lab/root/usr/lib/x86_64-linux-gnu
etcd() { ./etcdctl --endpoints "$url:$client" "$@" 2>>log; }
redis() { LD_LIBRARY_PATH=$libraries root/usr/bin/redis-cli -s "$lab/socket" "$@" 2>>log; }
start() { # Starts both servers on their data.
    ./etcd --data-dir etcd.data --listen-client-urls "$url:$client" --advertise-client-urls "$url:$client" \
        --listen-peer-urls "$url:$peer" --initial-advertise-peer-urls "$url:$peer" \
        --initial-cluster "default=$url:$peer" >>log 2>&1 &
    echo $! >pids
    LD_LIBRARY_PATH=$libraries ./redis-server --port 0 --unixsocket "$lab/socket" --dir "$lab" --appendonly yes >>log 2>&1 &
    echo $! >>pids
    for _ in $(seq 200); do
        etcd endpoint health >>log && [ "$(redis ping)" = PONG ] && break || sleep 0.1
    done
}

seen=$(
    start
    etcd put lock me --lease "$(etcd lease grant 20 | awk '{ print $2 }')" >>log
    redis set lock me EX 20 >>log
    for restart in 1 2 3; do
        sleep 12
        xargs kill <pids && wait || true
        start
        echo "$((restart * 12)) seconds, $restart restarts: etcd has [$(etcd get lock --print-value-only)], Redis [$(redis get lock)]"
    done
    sleep 25
    echo "25 seconds without a restart: etcd has [$(etcd get lock --print-value-only)]"
)
stated="12 seconds, 1 restarts: etcd has [me], Redis [me]
24 seconds, 2 restarts: etcd has [me], Redis []
36 seconds, 3 restarts: etcd has [me], Redis []
25 seconds without a restart: etcd has []"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
