#!/usr/bin/env bash
# etcd and etcdctl 3.6.6 (Go modules go.etcd.io/etcd/server/v3 and go.etcd.io/etcd/etcdctl/v3).
#
# Expected: `etcdctl lock NAME COMMAND` ends its command once the lock's lease has run out, as `consul lock`
# does; at least it says that the lock is lost.
# Seen: a client that is cut off from etcd loses the lease after its TTL, and the next one gets the lock and runs
# its command. The first command runs on beside it, and etcdctl says nothing.
# Why it matters: on the losing side of a partition this lock does not keep one writer; it only orders the starts.
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
read -r port cut < <(python3 - <<'END'
import socket
found = [socket.socket() for _ in range(2)]
for s in found: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in found))
END
)
./etcd --listen-client-urls "http://127.0.0.1:$port" --advertise-client-urls "http://127.0.0.1:$port" \
    --listen-peer-urls http://127.0.0.1:0 --data-dir data >log 2>&1 &
echo $! >>pids
# The network of the first client.
cat >network.py <<'END'
import socket, sys, threading

def copy(source, target):
    try:
        while data := source.recv(65536): target.sendall(data)
    except OSError:
        pass
    target.close()

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    near = server.accept()[0]
    far = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    for pair in ((near, far), (far, near)): threading.Thread(target=copy, args=pair, daemon=True).start()
END
python3 network.py "$cut" "$port" &
network=$!
echo $network >>pids
for _ in $(seq 100); do grep -q "ready to serve" log && (: >"/dev/tcp/127.0.0.1/$cut") 2>/dev/null && break || sleep 0.1; done

# Writes down who writes, for some seconds.
cat >writer <<'END'
for _ in $(seq "$2"); do
    echo "$1" >>written
    sleep 0.2
done
END
wait_for() { for _ in $(seq 300); do grep -q "$1" written 2>/dev/null && break || sleep 0.1; done; }

seen=$(
    ./etcdctl --endpoints "http://127.0.0.1:$cut" lock --ttl 2 db -- bash writer first 150 >said 2>&1 &
    first=$!
    echo $first >>pids
    wait_for first
    ./etcdctl --endpoints "http://127.0.0.1:$port" lock --ttl 2 db -- bash writer second 10 >/dev/null 2>&1 &
    second=$!
    echo $second >>pids
    sleep 4
    echo "connected: $(sort -u written | paste -sd" ")"
    kill $network
    wait_for second
    : >written
    wait $second
    echo "cut off: $(sort -u written | paste -sd" ")"
    echo "the first one says: $(cat said)"
)
stated="connected: first
cut off: first second
the first one says: "
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
