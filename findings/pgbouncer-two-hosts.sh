#!/usr/bin/env bash
# PgBouncer 1.18.0 and PostgreSQL 15.18 (Debian 12), psycopg 3.3.9 (PyPI; it has libpq in it). Needs root.
#
# Expected: "host=a,b" in PgBouncer is what it is in libpq: the first host that can be reached gets the connections.
# Seen: PgBouncer takes the hosts in turns, connection by connection, and asks none what it is: with a standby and a primary,
# half of one pool can write. Where one host is down, each second connection to a server goes to it again, and the client
# waits 15 seconds for the next turn; libpq is on the other host at once.
# Why it matters: a second host that is added for failover makes writes fail now and then, and an outage of one of two
# servers a delay for each new connection.
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

debian bookworm postgresql-15=15.18-0+deb12u1 libpq5=15.18-0+deb12u1 pgbouncer=1.18.0-1+deb12u1 \
    libevent-2.1-7=2.1.12-stable-8 libc-ares2=1.18.1-3
python3 -m venv venv
venv/bin/pip --quiet install "psycopg[binary]==3.3.9" || exit 2
libraries=$lab/root/usr/lib/x86_64-linux-gnu
bin=$lab/root/usr/lib/postgresql/15/bin
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups env "LD_LIBRARY_PATH=$libraries")
chmod 755 "$lab"
mkdir -m 777 db
"${nobody[@]}" "$bin/initdb" -U app -D "$lab/db/primary" -L "$lab/root/usr/share/postgresql/15" --no-sync >initdb.log 2>&1
echo "host all all 127.0.0.0/8 trust" >>db/primary/pg_hba.conf
cp -a db/primary db/standby
"${nobody[@]}" touch db/standby/standby.signal
read -r port bouncer < <(python3 - <<'PYTHON'
import socket
found = [socket.socket() for _ in range(2)]
for s in found: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in found))
PYTHON
)
start() { # Runs COMMAND as NAME until its log says READY.
    local name=$1 ready=$2
    shift 2
    "${nobody[@]}" "$@" >"$name.log" 2>&1 &
    echo $! >>pids
    for _ in $(seq 300); do
        grep -qs "$ready" "$name.log" && break || sleep 0.1
    done
}
# Of the three addresses the standby has the first, the primary the second, and nobody the third.
standby=127.0.0.1 primary=127.0.0.2 down=127.0.0.3
for name in standby primary; do
    start $name "ready to accept" "$bin/postgres" -D "$lab/db/$name" -k "$lab/db/$name" -p "$port" -c "listen_addresses=${!name}"
done
cat >pgbouncer.ini <<END
[databases]
standby-first = host=$standby,$primary port=$port dbname=postgres user=app
down-first = host=$down,$primary port=$port dbname=postgres user=app
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $bouncer
unix_socket_dir =
auth_type = any
END
start pgbouncer "process up" "$lab/root/usr/sbin/pgbouncer" "$lab/pgbouncer.ini"
cat >client.py <<'PYTHON'
import sys, time
import psycopg

address, number = sys.argv[1], int(sys.argv[2])
connections, seen = [], []
for _ in range(number):
    start = time.monotonic()
    connections.append(psycopg.connect(address + " user=app connect_timeout=60"))
    standby = connections[-1].execute("select pg_is_in_recovery()").fetchone()[0]
    waited = time.monotonic() - start > 10
    seen.append(("standby" if standby else "primary") + (" after 15 s" if waited else ""))
print(", ".join(seen))
PYTHON
client=(venv/bin/python client.py)

seen=$(
    echo "libpq, standby first: $("${client[@]}" "host=$standby,$primary port=$port dbname=postgres" 4)"
    echo "PgBouncer, standby first: $("${client[@]}" "host=127.0.0.1 port=$bouncer dbname=standby-first" 4)"
    echo "libpq, first one down: $("${client[@]}" "host=$down,$primary port=$port dbname=postgres" 3)"
    echo "PgBouncer, first one down: $("${client[@]}" "host=127.0.0.1 port=$bouncer dbname=down-first" 3)"
)
stated="libpq, standby first: standby, standby, standby, standby
PgBouncer, standby first: standby, primary, standby, primary
libpq, first one down: primary, primary, primary
PgBouncer, first one down: primary after 15 s, primary after 15 s, primary after 15 s"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
