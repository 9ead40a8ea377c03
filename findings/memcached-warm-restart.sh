#!/usr/bin/env bash
# memcached 1.6.18 (Debian 12).
#
# Expected: with -e FILE memcached keeps its items in a file, and they are there again after it was stopped with SIGTERM,
# the signal of every orchestrator, and started anew.
# Seen: only SIGUSR1 saves what a restart needs. After SIGTERM the file is there in full size, and the cache is empty. After
# SIGUSR1 the items are there if the new process starts some seconds later; where it starts at once it refuses the file
# ("restart incompatible due to setting for [stop_time]") and starts empty, too.
# Why it matters: a cache on a volume is cold after each update, and the database behind it gets the whole load. Set
# SIGUSR1 as the stop signal, and let some seconds pass before the start.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
cd "$lab"
export HOME=$lab

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

debian bookworm memcached=1.6.18-1 libevent-2.1-7=2.1.12-stable-8
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu
start() {
    root/usr/bin/memcached -u "$(id -un)" -s "$lab/socket" -m 64 -e "$lab/items" >log 2>&1 &
    echo $! >>pids
    for _ in $(seq 100); do [ -S socket ] && break || sleep 0.1; done
    sleep 1
}
ask() { # Sends a request and prints the answer.
    python3 - "$1" <<'END'
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect("socket")
server.sendall(sys.argv[1].encode().decode("unicode_escape").encode() + b"\r\nquit\r\n")
print(*b"".join(iter(lambda: server.recv(4096), b"")).decode().split())
END
}
restart() { # Stores an item, stops the server with SIGNAL, starts it again after SECONDS and asks for the item.
    rm -f items* socket
    start
    ask 'set key 0 0 5\r\nvalue' >stored
    kill "-$1" $!
    wait $! || true
    rm -f socket
    sleep "$2"
    echo "$1, start after $2 s: file of $(($(stat -c %s items) >> 20)) MiB, $(start; ask 'get key')"
    grep -o "restart incompatible.*time\]" log || true
    kill -9 "$(tail -1 pids)"
}

seen=$(
    restart TERM 6
    restart USR1 0
    restart USR1 6
)
stated="TERM, start after 6 s: file of 64 MiB, END
USR1, start after 0 s: file of 64 MiB, END
restart incompatible due to setting for [stop_time]
USR1, start after 6 s: file of 64 MiB, VALUE key 0 5 value END"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
