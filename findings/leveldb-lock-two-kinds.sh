#!/usr/bin/env bash
# LevelDB, the C++ library in plyvel 1.5.1 (PyPI), and goleveldb 1.0.0 (Go module github.com/syndtr/goleveldb).
#
# Expected: a database that one process holds open is refused to a second, whatever language it is in: both take
# the lock of the file LOCK in the directory.
# Seen: the C++ library takes an fcntl(2) lock, the Go library a flock(2) lock; each refuses itself, and neither
# sees the other. A Go tool opens the database of the running service, and what the service writes after that is
# gone at the next start, though its writes succeed.
# Why it matters: an inspector, an exporter or a backup in another language is a second writer.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
cd "$lab"

python3 -m venv venv
venv/bin/pip --quiet install plyvel==1.5.1 || exit 2
cat >go.mod <<'END'
module lab
go 1.24
require github.com/syndtr/goleveldb v1.0.0
END
cat >main.go <<'END'
package main

import (
	"fmt"
	"os"

	"github.com/syndtr/goleveldb/leveldb"
)

// Opens the database, writes one key, and waits for the end of its input.
func main() {
	db, err := leveldb.OpenFile("data", nil)
	if err != nil {
		fmt.Println("refused:", err)
		return
	}
	fmt.Println("opened, write:", db.Put([]byte("go"), nil, nil))
	os.Stdin.Read(make([]byte, 1))
	db.Close()
}
END
(go mod tidy && go build -o go-tool .) >go.log 2>&1 || { cat go.log >&2; exit 2; }
cat >service.py <<'END'
import plyvel, subprocess

def keys(): return [key.decode() for key, _ in db]
def tool(): return subprocess.Popen("./go-tool", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

db = plyvel.DB("data", create_if_missing=True)
db.put(b"before", b"", sync=True)
try:
    plyvel.DB("data")
except plyvel.IOError as error:
    print("C++ beside C++: refused")
first = tool()
print("Go beside C++:", first.stdout.readline().strip())
print("Go beside Go:", tool().stdout.readline().strip())
db.put(b"after", b"", sync=True)
print("the service sees:", keys())
db.close()
first.communicate("\n")
db = plyvel.DB("data")
print("next start:", keys())
END

seen=$(venv/bin/python service.py)
stated="C++ beside C++: refused
Go beside C++: opened, write: <nil>
Go beside Go: refused: resource temporarily unavailable
the service sees: ['after', 'before']
next start: ['before', 'go']"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
