#!/usr/bin/env bash
# nats-server 2.12.1 (Go module github.com/nats-io/nats-server/v2), three servers with JetStream.
#
# Expected: a server that comes back with its store directory, its address and a new server_name is the same
# member, as an etcd member is: the store contains its identity.
# Seen: the name is the identity. The cluster counts four members, one of them lost for good, so that the next
# server that stops takes the quorum: of three servers that were started, two no longer are enough.
# Why it matters: a server_name made from the pod's name changes with the name of the StatefulSet or its
# ordinals, though the volumes are the same.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
cd "$lab"

GOBIN=$lab go install github.com/nats-io/nats-server/v2@v2.12.1 || exit 2
read -r -a port < <(python3 - <<'END'
import socket
found = [socket.socket() for _ in range(6)]
for s in found: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in found))
END
)
start() { # Starts server NUMBER under NAME.
    cat >"conf-$1" <<END
port: -1
http: 127.0.0.1:${port[$1]}
server_name: $2
jetstream { store_dir: "$lab/store-$1" }
cluster {
  name: db
  listen: 127.0.0.1:${port[$1 + 3]}
  routes: [nats://127.0.0.1:${port[3]}, nats://127.0.0.1:${port[4]}, nats://127.0.0.1:${port[5]}]
}
END
    ./nats-server -c "conf-$1" >>"log-$1" 2>&1 &
    echo $! >>pids
    echo $! >"pid-$1"
}
stop() {
    kill "$(cat "pid-$1")"
    sleep 1
}
# Prints the size of the meta group, once it has WANTED members and a leader, or what there is after 30 s.
group() {
    python3 - "$1" "${port[@]:0:3}" <<'END'
import json, sys, time, urllib.request

wanted, said = int(sys.argv[1]), "no leader"
for _ in range(60):
    for port in sys.argv[2:]:
        try:
            meta = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/jsz", timeout=2))["meta_cluster"]
        except (OSError, KeyError):
            continue
        if meta.get("replicas"):
            said = f"{meta['cluster_size']} members, {sum(r.get('offline', False) for r in meta['replicas'])} lost"
    if said.startswith(str(wanted)):
        break
    time.sleep(0.5)
print(said)
END
}
healthy() { python3 -c 'import sys, urllib.request
try: print(urllib.request.urlopen(sys.argv[1], timeout=3).read().decode())
except OSError as error: print(error)' "http://127.0.0.1:${port[$1]}/healthz"; }

seen=$(
    for number in 0 1 2; do start $number "db-$number"; done
    echo "three: $(group 3)"
    stop 0
    sleep 10
    echo "one stopped: $(healthy 1), $(healthy 2)"
    start 0 db-0
    group 3 >/dev/null
    sleep 5
    stop 2
    start 2 db-v2-2
    echo "another renamed: $(group 4)"
    sleep 5
    stop 0
    sleep 25
    echo "one stopped: $(healthy 1), $(healthy 2)"
)
stated='three: 3 members, 0 lost
one stopped: {"status":"ok"}, {"status":"ok"}
another renamed: 4 members, 1 lost
one stopped: HTTP Error 503: Service Unavailable, HTTP Error 503: Service Unavailable'
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
