#!/usr/bin/env bash
# LMDB 0.9.24, RocksDB 7.8.3 and Berkeley DB 5.3.28 with their tools, of Debian 12; LMDB in lmdb 1.6.2 (PyPI).
#
# Expected: the dump tool of an embedded database writes the whole database, and its load tool brings it back.
# db5.3_dump does so for a file of two named databases.
# Seen: mdb_dump writes the unnamed database alone, in which each named one is a record of page numbers. mdb_load
# stores those as plain data, with status 0, and the service cannot open its databases any more (MDB_INCOMPATIBLE).
# `ldb dump` writes the default column family alone. A key with a newline breaks its line, and `ldb load` makes another
# key of the piece, with status 0. The options mdb_dump -a, ldb --hex and ldb --column_family help.
# Why it matters: services keep what they have in named databases and column families. Both commands end well, and the
# loss shows after the restore.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
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

debian bookworm lmdb-utils=0.9.24-1 liblmdb0=0.9.24-1 db5.3-util=5.3.28+dfsg2-1 libdb5.3=5.3.28+dfsg2-1 \
    rocksdb-tools=7.8.3-2 librocksdb7.8=7.8.3-2 libgflags2.2=2.2.2-2 libsnappy1v5=1.1.9-3
python3 -m venv venv
venv/bin/pip --quiet install lmdb==1.6.2 || exit 2
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu PATH=$lab/root/usr/bin:$PATH
cat >service.py <<'END'
import lmdb, sys
env = lmdb.open(sys.argv[1], max_dbs=2)
try:
    for name in (b"orders", b"users"):
        db = env.open_db(name)
        with env.begin(write=True, db=db) as transaction:
            if "fill" in sys.argv:
                transaction.put(b"key", b"value")
            print(name.decode(), transaction.stat()["entries"])
except lmdb.Error as error:
    print(type(error).__name__)
END
lmdb() { # Copies the LMDB database with the OPTION of mdb_dump, and lets the service open the copy.
    rm -rf copy && mkdir copy
    mdb_dump "$@" lmdb.data >dump 2>>log && mdb_load -f dump copy 2>>log && echo "status 0"
    venv/bin/python service.py copy
}
rocksdb() { # Copies the RocksDB database with the OPTION of ldb.
    rm -rf copy
    ldb --db=rocksdb.data "$@" dump 2>>log | ldb --db=copy "$@" --create_if_missing load >said 2>&1 && echo "status 0"
    ldb --db=copy list_column_families 2>&1 | tail -1
    ldb --db=copy --hex dump
}
cat >two-databases <<'END'
VERSION=3
format=print
database=orders
type=btree
HEADER=END
 key
 value
DATA=END
VERSION=3
format=print
database=users
type=btree
HEADER=END
 key
 value
DATA=END
END
{
    venv/bin/python service.py lmdb.data fill
    ldb --db=rocksdb.data --create_if_missing --hex put 0x610A62 0x31
    ldb --db=rocksdb.data create_column_family orders
    ldb --db=rocksdb.data --column_family=orders put key value
    db5.3_load -f two-databases berkeley.data
} >log 2>&1 || { cat log >&2; exit 2; }

seen=$(
    echo "LMDB, mdb_dump"; lmdb
    echo "LMDB, mdb_dump -a"; lmdb -a
    echo "RocksDB, ldb dump of the key 0x610A62 and of orders"; rocksdb
    echo "RocksDB, ldb --hex dump"; rocksdb --hex
    echo "Berkeley DB, db5.3_dump"; db5.3_dump berkeley.data | db5.3_load copy.bdb && echo "status 0" && db5.3_dump -l copy.bdb
)
stated="LMDB, mdb_dump
status 0
IncompatibleError
LMDB, mdb_dump -a
status 0
orders 1
users 1
RocksDB, ldb dump of the key 0x610A62 and of orders
status 0
{default}
0x62 ==> 0x31
Keys in range: 1
RocksDB, ldb --hex dump
status 0
{default}
0x610A62 ==> 0x31
Keys in range: 1
Berkeley DB, db5.3_dump
status 0
orders
users"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
