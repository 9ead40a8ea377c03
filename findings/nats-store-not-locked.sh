#!/usr/bin/env bash
# nats-server 2.12.1 (Go module github.com/nats-io/nats-server/v2), nats-py 2.11.0 (PyPI).
#
# Expected: a second server on the same JetStream store_dir is refused, as with etcd or Kafka.
# Seen: both start without a warning and acknowledge every message of their clients into one stream
# directory. After a restart there are five messages, not ten: those of one server are gone.
# Why it matters: an update that starts the new container before the old has ended, or a volume that
# two nodes mount, loses acknowledged messages. Exclusion must come from outside.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
cd "$lab"

GOBIN=$lab go install github.com/nats-io/nats-server/v2@v2.12.1 || exit 2
python3 -m venv venv
venv/bin/pip --quiet install nats-py==2.11.0 || exit 2
start() { # Starts server NAME and waits for it.
    printf 'port: -1\nserver_name: %s\nports_file_dir: "%s/ports-%s"\njetstream { store_dir: "%s/store" }\n' \
        "$1" "$lab" "$1" "$lab" >"$1.conf"
    rm -rf "ports-$1"
    mkdir "ports-$1"
    ./nats-server -c "$1.conf" >"$1.log" 2>&1 &
    echo $! >>pids
    for _ in $(seq 100); do ls "ports-$1"/*.ports >/dev/null 2>&1 && break || sleep 0.1; done
}
url() { grep -oE "nats://127.0.0.1:[0-9]+" "ports-$1"/*.ports | head -1; }
cat >publish.py <<'END'
import asyncio, sys
import nats

async def main():
    clients = [(await nats.connect(url)).jetstream() for url in sys.argv[1:]]
    for client in clients:
        await client.add_stream(name="orders", subjects=["order"])
    for number in range(5):
        for server, client in enumerate(clients):
            await client.publish("order", f"server {server}, order {number}".encode())
    print("acknowledged:", 5 * len(clients))

asyncio.run(main())
END
cat >count.py <<'END'
import asyncio, sys
import nats

async def main():
    stream = (await nats.connect(sys.argv[1])).jetstream()
    state = (await stream.stream_info("orders")).state
    kept = [(await stream.get_msg("orders", n)).data.decode() for n in range(state.first_seq, state.last_seq + 1)]
    print("after a restart:", state.messages, "of", len({text.split(",")[0] for text in kept}), "server")

asyncio.run(main())
END

seen=$(
    start a
    start b
    venv/bin/python publish.py "$(url a)" "$(url b)"
    kill %1
    wait %1
    kill %2
    wait %2
    start a
    venv/bin/python count.py "$(url a)"
    kill %%
    wait
    grep -hE "WRN|ERR" ./*.log || true
)
stated="acknowledged: 10
after a restart: 5 of 1 server"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
