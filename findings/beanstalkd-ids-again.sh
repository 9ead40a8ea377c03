#!/usr/bin/env bash
# beanstalkd 1.12 (Debian 12).
#
# Expected: with a log on the disk (-b) the id of a job is given once, as in any queue that survives a restart.
# Seen: the next id is one more than the highest in the log, and a start drops the part of the log that no job needs. After two
# starts of an empty queue the first job has id 1 again; after one start the ids still go on, so a test shows nothing.
# Why it matters: a service that stores the id of its job, to delete it or to look after it later, then deletes or watches the
# job of somebody else. Put an id of your own into the job, and compare it.
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

debian bookworm beanstalkd=1.12-2+b1
mkdir queue
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
start() {
    root/usr/bin/beanstalkd -l 127.0.0.1 -p "$port" -b queue >>log 2>&1 &
    server=$!
    echo $! >>pids
    for _ in $(seq 100); do (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break || sleep 0.1; done
}
stop() { kill $server && wait $server || true; }
ask() { # Sends a request and prints the answer's words.
    python3 - "$port" "$1" <<'END'
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    connection.sendall((sys.argv[2].replace("/", "\r\n") + "\r\nquit\r\n").encode())
    print(*b"".join(iter(lambda: connection.recv(4096), b"")).decode().split())
END
}
again() { # Puts three jobs, deletes them, starts the server so many times more, and says how the next job is called.
    rm -rf queue
    mkdir queue
    start
    for id in 1 2 3; do ask "put 1 0 60 4/mail" && ask "delete $id"; done >>log
    for _ in $(seq "$1"); do stop && start; done
    ask "put 1 0 60 4/mail"
    stop
}

seen=$(for starts in 0 1 2; do echo "after three jobs and $starts starts: $(again $starts)"; done)
stated="after three jobs and 0 starts: INSERTED 4
after three jobs and 1 starts: INSERTED 4
after three jobs and 2 starts: INSERTED 1"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
