#!/usr/bin/env bash
# nats-server 2.12.1 (Go module github.com/nats-io/nats-server/v2), nats-py 2.11.0 (PyPI).
#
# Expected: a message with the Nats-Msg-Id of an earlier one is a duplicate for the whole duplicate_window of the stream, here
# one hour, whether or not the first was worked on, and also after the server was stopped with SIGTERM and started again.
# Seen: so it is until the server stops. At the start it reads the ids from the messages that are still there: the id of one
# that was acknowledged in a work queue, or deleted, is forgotten, and the second message is taken.
# Why it matters: a client that sends again what it got no answer for, as it should, does so most of all while a server is
# restarted, and then the payment is made twice. A stream with limits, which keeps the message, keeps the id.
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

go_build nats-server github.com/nats-io/nats-server/v2 v2.12.1
python3 -m venv venv
venv/bin/pip --quiet install nats-py==2.11.0 || exit 2
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >client.py <<'PYTHON'
import asyncio, sys
import nats
from nats.js.api import StreamConfig

headers = {"Nats-Msg-Id": "payment-1"}

async def first(stream, name, retention):
    await stream.add_stream(StreamConfig(name=name, subjects=[name], retention=retention, duplicate_window=3600))
    await stream.publish(name, b"pay", headers=headers)
    worker = await stream.pull_subscribe(name, durable="worker")
    await (await worker.fetch(1))[0].ack_sync()
    if name == "deleted":
        await stream.delete_msg(name, 1)

async def main(port, when):
    client = await nats.connect(f"nats://127.0.0.1:{port}")
    stream = client.jetstream()
    for name, retention in (("workqueue", "workqueue"), ("limits", "limits"), ("deleted", "limits")):
        if when == "before":
            await first(stream, name, retention)
        again = await stream.publish(name, b"pay", headers=headers)
        print(f"{when} the restart, {name}: {'a duplicate' if again.duplicate else 'a second message'}")
    await client.close()

asyncio.run(main(*sys.argv[1:]))
PYTHON

seen=$(
    for when in before after; do
        ./nats-server -a 127.0.0.1 -p "$port" -js -sd store >log 2>&1 &
        echo $! >>pids
        for _ in $(seq 100); do grep -qs "Server is ready" log && break || sleep 0.1; done
        venv/bin/python client.py "$port" $when
        kill $! && wait $! || true
    done
)
stated="before the restart, workqueue: a duplicate
before the restart, limits: a duplicate
before the restart, deleted: a duplicate
after the restart, workqueue: a second message
after the restart, limits: a duplicate
after the restart, deleted: a second message"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
