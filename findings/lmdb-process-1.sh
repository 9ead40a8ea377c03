#!/usr/bin/env bash
# LMDB 0.9 in lmdb 3.0.0 (PyPI), in two PID namespaces, as root.
#
# Expected: two processes of one host share an LMDB database, whatever containers they are in: its lock file is made for
# many readers.
# Seen: each reader locks the byte of its process number in lock.mdb. Two containers that both run their program as
# process 1 want the same byte: the second cannot begin a read transaction, "Resource temporarily unavailable". As
# process 2 of its container, behind a shell, it can.
# Why it matters: an exporter, a backup or a helper beside the service in a pod fails for ever with an error that says
# "try again", and works on a laptop and with shareProcessNamespace, where the numbers differ.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
cd "$lab"

python3 -m venv venv
venv/bin/pip --quiet install lmdb==3.0.0 || exit 2
cat >reader.py <<'END'
import lmdb, os, sys, time
try:
    env = lmdb.open("data")
    with env.begin() as transaction:
        print(f"process {os.getpid()} reads: {transaction.get(b'order').decode()}", flush=True)
except lmdb.Error as error:
    print(f"process {os.getpid()} fails: {error}")
time.sleep(float(sys.argv[1]))
END
cat >write.py <<'END'
import lmdb
with lmdb.open("data").begin(write=True) as transaction:
    transaction.put(b"order", b"17")
END
venv/bin/python write.py
container() { unshare --pid --fork --kill-child "$@"; }
container true 2>unshare.log || { cat unshare.log >&2; exit 2; }

seen=$(
    container venv/bin/python reader.py 60 >service &
    echo $! >>pids
    while [ ! -s service ]; do sleep 0.1; done
    echo "service: $(cat service)"
    echo "exporter: $(container venv/bin/python reader.py 0)"
    echo "exporter: $(container sh -c 'venv/bin/python reader.py 0; true')"
    kill $!
)
stated="service: process 1 reads: 17
exporter: process 1 fails: mdb_txn_begin: Resource temporarily unavailable
exporter: process 2 reads: 17"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
