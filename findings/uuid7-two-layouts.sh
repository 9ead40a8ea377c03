#!/usr/bin/env bash
# UUIDs of version 7: uuid7 0.1.0 and uuid6 2024.7.10 (PyPI), github.com/google/uuid 1.6.0 (Go module), uuid 11.1.0 (npm).
#
# Expected: UUIDs of version 7 sort by time, whatever language made them: their first 48 bits are milliseconds since 1970.
# Seen: the package uuid7 has the layout of an earlier draft: 36 bits of seconds, and then their fraction. Its ids say
# version 7, and lie near the year 2203. One that it makes first sorts after all that the others make later.
# Why it matters: a reader that goes on after the last id of a table never sees the rows of the other services. An expiry by
# id never ends those of this one. A check of the version finds nothing.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

npm install --silent uuid@11.1.0 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }
python3 -m venv venv
venv/bin/pip --quiet install uuid7==0.1.0 uuid6==2024.7.10 || exit 2
cat >go.mod <<'END'
module lab
go 1.24
require github.com/google/uuid v1.6.0
END
cat >main.go <<'END'
package main

import (
	"fmt"

	"github.com/google/uuid"
)

func main() { fmt.Println(uuid.Must(uuid.NewV7())) }
END
(go mod tidy && go build -o go-uuid .) >go.log 2>&1 || { cat go.log >&2; exit 2; }
cat >years.py <<'END'
import sys, time, uuid
rows = [line.split() for line in sys.stdin]
now = time.time()
for name, text in rows:
    value = uuid.UUID(text)
    distance = (value.int >> 80) / 1000 - now
    when = "now" if abs(distance) < 60 else "more than a century ahead" if distance > 3.2e9 else "another time"
    print(f"{name}: version {value.version}, {when}")
print("made:", *(name for name, _ in rows))
print("sorted:", *(name for name, _ in sorted(rows, key=lambda row: row[1])))
END

seen=$(
    {
        echo "uuid7 $(venv/bin/python -c 'import uuid_extensions; print(uuid_extensions.uuid7())')"
        echo "uuid6 $(venv/bin/python -c 'import uuid6; print(uuid6.uuid7())')"
        echo "Go $(./go-uuid)"
        echo "npm $(node -e 'console.log(require("uuid").v7())')"
    } | venv/bin/python years.py
)
stated="uuid7: version 7, more than a century ahead
uuid6: version 7, now
Go: version 7, now
npm: version 7, now
made: uuid7 uuid6 Go npm
sorted: uuid6 Go npm uuid7"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
