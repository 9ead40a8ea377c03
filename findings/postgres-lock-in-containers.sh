#!/usr/bin/env bash
# PostgreSQL 15.18 (Debian 12). Needs root.
#
# Expected: postmaster.pid, and the shared memory that it names, keep a second server off a data directory;
# so they do on one host ("lock file postmaster.pid already exists").
# Seen: with PID and IPC namespaces of their own, as in two containers, the second server starts, finds
# "1" in the file, takes it for a left-over of its own, and replays the WAL under the running first one.
# Neither says that there is another.
# Why it matters: a new container beside an old one that has not ended, on one volume, destroys the data.
# The lock holds only within one container; exclusion must come from the orchestrator or from flock.
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

debian bookworm postgresql-15=15.18-0+deb12u1 libpq5=15.18-0+deb12u1
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu
bin=$lab/root/usr/lib/postgresql/15/bin
chmod 755 "$lab"
mkdir -m 777 db
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
"${nobody[@]}" "$bin/initdb" -D "$lab/db/data" -L "$lab/root/usr/share/postgresql/15" --no-sync >initdb.log 2>&1
server() { # Starts server NAME, the command that comes before it being given.
    local name=$1
    shift
    mkdir -m 777 "db/$name"
    "$@" "${nobody[@]}" "$bin/postgres" -D "$lab/db/data" -k "$lab/db/$name" -c listen_addresses= >"$name.log" 2>&1 &
    echo $! >>pids
    for _ in $(seq 300); do
        grep -qsE "ready to accept|FATAL" "$name.log" && break || sleep 0.1
    done
}
container=(unshare --pid --ipc --mount-proc --fork --kill-child)
says() { echo "$1: $(grep -ohE "already exists|automatic recovery in progress|ready to accept connections" "$1.log" | paste -sd,)"; }

seen=$(
    server first
    server second
    xargs kill 2>/dev/null <pids || true
    wait || true
    says second
    server third "${container[@]}"
    server fourth "${container[@]}"
    says third
    says fourth
    echo "running: $(jobs -r | wc -l)"
)
stated="second: already exists
third: ready to accept connections
fourth: automatic recovery in progress,ready to accept connections
running: 2"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
