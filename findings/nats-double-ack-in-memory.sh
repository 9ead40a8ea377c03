#!/usr/bin/env bash
# nats-server 2.12.1 (Go module github.com/nats-io/nats-server/v2), nats-py 2.11.0 (PyPI).
#
# Expected: ack_sync(), the "double ack" that waits for the server's word, means that the message is not delivered again, also
# after the server was killed: it is in a stream on a disk, whose own messages survive a kill from their acknowledgement on.
# Seen: the server answers before it writes. Killed at once after the answer to the last of ten, it has no word of it after its
# start and delivers again; the messages of the stream are all there. Two seconds later it is written.
# Why it matters: "exactly once" by message id and double ack holds for the publisher and not for the worker. Work that must not
# be done twice needs its own record of what was done.
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
import asyncio, os, signal, sys
import nats
from nats.js.api import ConsumerConfig, StreamConfig

async def main(port, server, wait):
    client = await nats.connect(f"nats://127.0.0.1:{port}", allow_reconnect=False)
    stream = client.jetstream()
    if server != "0":
        await stream.add_stream(StreamConfig(name="jobs", subjects=["jobs"]))
        for number in range(10):
            await stream.publish("jobs", str(number).encode())
        worker = await stream.pull_subscribe("jobs", durable="worker", config=ConsumerConfig(ack_wait=2))
        for message in await worker.fetch(10):
            await message.ack_sync()
        await asyncio.sleep(float(wait))
        os.kill(int(server), signal.SIGKILL)
        os._exit(0)
    worker = await stream.pull_subscribe("jobs", durable="worker")
    try:
        again = len(await worker.fetch(10, timeout=8))
    except nats.errors.TimeoutError:
        again = 0
    state = (await stream.stream_info("jobs")).state
    print(f"{state.messages} messages, {'some' if again else 'none'} delivered again")
    await client.close()

asyncio.run(main(*sys.argv[1:]))
PYTHON
start() {
    ./nats-server -a 127.0.0.1 -p "$port" -js -sd store >log 2>&1 &
    server=$!
    echo $! >>pids
    for _ in $(seq 100); do grep -qs "Server is ready" log && break || sleep 0.1; done
}
killed() { # Kills the server SECONDS after the last answer and says what the worker gets then.
    rm -rf store
    start
    venv/bin/python client.py "$port" $server "$1"
    wait $server || true
    start
    venv/bin/python client.py "$port" 0 0
    kill $server && wait $server || true
}

seen=$(
    exec 2>/dev/null
    echo "killed at once: $(killed 0)"
    echo "killed after 2 seconds: $(killed 2)"
)
stated="killed at once: 10 messages, some delivered again
killed after 2 seconds: 10 messages, none delivered again"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
