#!/usr/bin/env bash
# nsqd 1.3.0 (Go module github.com/nsqio/nsq) and beanstalkd 1.12 (Debian 12).
#
# Expected: a message for later is still for later after the server was stopped in order, with SIGTERM, and started again.
# Seen: nsqd writes the message to its disk without its delay, and delivers it as soon as it is up. beanstalkd, which has far
# fewer promises, keeps the delay and counts on.
# Why it matters: each update of the server runs all jobs of the next hours at once: reminders, retries with a growing
# delay, and deletions after a time to object.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
cd "$lab"
export HOME=$lab GOCACHE=${GOCACHE:-$(go env GOCACHE)} GOMODCACHE=${GOMODCACHE:-$(go env GOMODCACHE)}

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

debian bookworm beanstalkd=1.12-2+b1
mkdir module
(
    cd module # NSQ's own go.mod has this replacement, too.
    go mod init lab
    go mod edit -replace github.com/judwhite/go-svc=github.com/mreiferson/go-svc@v1.2.2-0.20210815184239-7a96e00010f6
    go get github.com/nsqio/nsq/apps/nsqd@v1.3.0 && go build -mod=mod -o ../nsqd github.com/nsqio/nsq/apps/nsqd
) >go.log 2>&1 || { cat go.log >&2; exit 2; }
read -r -a port < <(python3 - <<'END'
import socket
found = [socket.socket() for _ in range(4)]
for s in found: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in found))
END
)
cat >client.py <<'END'
import json, socket, sys, time, urllib.request

server, port, action = sys.argv[1], sys.argv[2], sys.argv[3]

def nsq(path, data=None):
    return urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", data).read()

def beanstalk(request):
    with socket.create_connection(("127.0.0.1", int(port))) as connection:
        connection.sendall(request + b"\r\nquit\r\n")
        return b"".join(iter(lambda: connection.recv(4096), b"")).decode()

for _ in range(100): # Until the server is up.
    try:
        socket.create_connection(("127.0.0.1", int(port))).close()
        break
    except ConnectionError:
        time.sleep(0.1)
if (server, action) == ("nsqd", "put"):
    nsq("topic/create?topic=jobs", b"")
    nsq("channel/create?topic=jobs&channel=worker", b"")
    nsq("pub?topic=jobs&defer=3000000", b"in 50 minutes")
    time.sleep(1)
elif server == "nsqd":
    channel = json.loads(nsq("stats?format=json"))["topics"][0]["channels"][0]
    print(f"deferred {channel['deferred_count']}, ready {channel['depth']}")
elif action == "put":
    beanstalk(b"put 1 3000 60 13\r\nin 50 minutes")
else:
    fields = dict(line.split(": ", 1) for line in beanstalk(b"stats").splitlines() if ": " in line)
    print(f"deferred {fields['current-jobs-delayed']}, ready {fields['current-jobs-ready']}")
END
nsqd() {
    ./nsqd -data-path . -tcp-address "127.0.0.1:${port[0]}" -https-address "127.0.0.1:${port[1]}" \
        -http-address "127.0.0.1:${port[2]}" >>log 2>&1 &
}
beanstalkd() { root/usr/bin/beanstalkd -l 127.0.0.1 -p "${port[3]}" -b . >>log 2>&1 & }
try() { # Gives SERVER at PORT a message for later, and says what it has before and after a restart.
    for action in put restart; do
        "$1" && echo $! >>pids
        [ $action = restart ] || python3 client.py "$1" "$2" put
        echo "$1, $([ $action = put ] && echo before || echo after) the restart: $(python3 client.py "$1" "$2" count)"
        kill $! && wait $! || true
    done
}

seen=$(
    try beanstalkd "${port[3]}"
    try nsqd "${port[2]}"
)
stated="beanstalkd, before the restart: deferred 1, ready 0
beanstalkd, after the restart: deferred 1, ready 0
nsqd, before the restart: deferred 1, ready 0
nsqd, after the restart: deferred 0, ready 1"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
