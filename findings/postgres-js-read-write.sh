#!/usr/bin/env bash
# postgres 3.4.9 (npm), psycopg 3.3.9 and asyncpg 0.32.0 (PyPI), PostgreSQL 15.18 (Debian 12). Needs root.
#
# Expected: with two hosts in an address, target_session_attrs=read-write takes the server that accepts writes, as with libpq.
# Seen: postgres.js takes the standby where it is first: it looks at default_transaction_read_only, which is "off" there too. With
# "primary" it takes the primary. psycopg, which is libpq, and asyncpg take the primary with both.
# Why it matters: after a failover, or with the hosts in another order, each write fails, and the service does not look further.
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
python3 -m venv venv
venv/bin/pip --quiet install "psycopg[binary]==3.3.9" asyncpg==0.32.0 || exit 2
npm install --silent --no-fund postgres@3.4.9 || exit 2
libraries=$lab/root/usr/lib/x86_64-linux-gnu
bin=$lab/root/usr/lib/postgresql/15/bin
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups env "LD_LIBRARY_PATH=$libraries")
chmod 755 "$lab"
mkdir -m 777 db
"${nobody[@]}" "$bin/initdb" -U app -D "$lab/db/primary" -L "$lab/root/usr/share/postgresql/15" --no-sync >initdb.log 2>&1
cp -a db/primary db/standby
"${nobody[@]}" touch db/standby/standby.signal
read -r standby primary < <(python3 - <<'PYTHON'
import socket
found = [socket.socket() for _ in range(2)]
for s in found: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in found))
PYTHON
)
for name in standby primary; do
    "${nobody[@]}" "$bin/postgres" -D "$lab/db/$name" -k "$lab/db" -p "${!name}" -c listen_addresses=127.0.0.1 >$name.log 2>&1 &
    echo $! >>pids
    for _ in $(seq 300); do
        grep -qs "ready to accept" $name.log && break || sleep 0.1
    done
done
address="postgresql://app@127.0.0.1:$standby,127.0.0.1:$primary/postgres?target_session_attrs"
cat >client.py <<'PYTHON'
import asyncio, sys
import asyncpg, psycopg

async def connect():
    return await (await asyncpg.connect(sys.argv[2])).fetchval("select pg_is_in_recovery()")

if sys.argv[1] == "asyncpg": print(asyncio.run(connect()))
else: print(psycopg.connect(sys.argv[2]).execute("select pg_is_in_recovery()").fetchone()[0])
PYTHON
cat >client.js <<'NODE'
const sql = require("postgres")(process.argv[2], {max: 1});
(async () => {
    const [row] = await sql`select pg_is_in_recovery() as standby`;
    console.log(row.standby);
    console.log(await sql`create table orders ()`.then(() => "created", (error) => error.message));
    await sql.end();
})();
NODE

seen=$(
    for wanted in primary read-write; do
        for client in psycopg asyncpg; do
            echo "$client, $wanted: $(venv/bin/python client.py $client "$address=$wanted")"
        done
        echo "postgres.js, $wanted: $(timeout 30 node client.js "$address=$wanted" | paste -sd, | sed 's/,/, a write: /')"
    done | sed 's/False/false/; s/True/true/; s/: false/: primary/; s/: true/: standby/'
)
stated="psycopg, primary: primary
asyncpg, primary: primary
postgres.js, primary: primary, a write: created
psycopg, read-write: primary
asyncpg, read-write: primary
postgres.js, read-write: standby, a write: cannot execute CREATE TABLE in a read-only transaction"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
