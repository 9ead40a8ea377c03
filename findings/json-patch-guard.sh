#!/usr/bin/env bash
# JSON Patch (RFC 6902): gopkg.in/evanphx/json-patch.v4 4.12.0 (Go module, that of the Kubernetes API server),
# jsonpatch 1.33 (PyPI), fast-json-patch 3.1.1 and rfc6902 5.1.2 (npm).
#
# Expected: a patch that begins with a test is a compare-and-swap in every library: where the test fails, nothing changes.
# Seen: rfc6902 applies the steps after a failed test, and returns the error beside them. In the Go library a field that
# is not there passes a test for null, and 1000000 fails a test for 1e6. There and in fast-json-patch "replace" adds a
# field that is missing, and "remove /-1" takes the last of a list. Python and rfc6902 refuse both.
# Why it matters: a controller that prepares its object with rfc6902 takes the lease of another. A patch that takes a
# lease only if it is free ("test /holder null") works in the API server, and fails in a Python test.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

npm install --silent fast-json-patch@3.1.1 rfc6902@5.1.2 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }
python3 -m venv venv
venv/bin/pip --quiet install jsonpatch==1.33 || exit 2
cat >go.mod <<'END'
module lab
go 1.24
require gopkg.in/evanphx/json-patch.v4 v4.12.0
END
cat >main.go <<'END'
package main

import (
	"fmt"
	"os"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
)

func main() {
	patch, err := jsonpatch.DecodePatch([]byte(os.Args[2]))
	if err != nil {
		panic(err)
	}
	patched, err := patch.Apply([]byte(os.Args[1]))
	if err != nil {
		fmt.Println("refused,", os.Args[1])
		return
	}
	fmt.Println("done,", string(patched))
}
END
(go mod tidy && go build -o go-patch .) >go.log 2>&1 || { cat go.log >&2; exit 2; }
cat >patch.py <<'END'
import json, sys
from jsonpatch import JsonPatchException, JsonPointerException, apply_patch
document, patch = map(json.loads, sys.argv[1:])
try:
    document, state = apply_patch(document, patch), "done"
except (JsonPatchException, JsonPointerException):
    state = "refused"
print(f"{state}, {json.dumps(document, separators=(',', ':'))}")
END
cat >fast.js <<'END'
let [document, patch] = process.argv.slice(2).map((text) => JSON.parse(text)), state = 'done'
try {
  document = require('fast-json-patch').applyPatch(document, patch, false, false).newDocument
} catch {
  state = 'refused'
}
console.log(`${state}, ${JSON.stringify(document)}`)
END
cat >rfc6902.js <<'END'
const [document, patch] = process.argv.slice(2).map((text) => JSON.parse(text))
const errors = require('rfc6902').applyPatch(document, patch)
console.log(`${errors.every((error) => !error) ? 'done' : 'refused'}, ${JSON.stringify(document)}`)
END
row() { # Applies PATCH to DOCUMENT with each library, and prints the document after it.
    echo "$1 $2"
    echo "    Go: $(./go-patch "$1" "$2")"
    echo "    Python: $(venv/bin/python patch.py "$1" "$2")"
    echo "    fast-json-patch: $(node fast.js "$1" "$2")"
    echo "    rfc6902: $(node rfc6902.js "$1" "$2")"
}

seen=$(
    row '{"holder":"db-0"}' '[{"op":"test","path":"/holder","value":""},{"op":"replace","path":"/holder","value":"db-1"}]'
    row '{}' '[{"op":"test","path":"/holder","value":null},{"op":"add","path":"/holder","value":"db-1"}]'
    row '{"term":1000000}' '[{"op":"test","path":"/term","value":1e6}]'
    row '{}' '[{"op":"replace","path":"/holder","value":"db-1"}]'
    row '{"members":[0,1]}' '[{"op":"remove","path":"/members/-1"}]'
)
stated='{"holder":"db-0"} [{"op":"test","path":"/holder","value":""},{"op":"replace","path":"/holder","value":"db-1"}]
    Go: refused, {"holder":"db-0"}
    Python: refused, {"holder":"db-0"}
    fast-json-patch: refused, {"holder":"db-0"}
    rfc6902: refused, {"holder":"db-1"}
{} [{"op":"test","path":"/holder","value":null},{"op":"add","path":"/holder","value":"db-1"}]
    Go: done, {"holder":"db-1"}
    Python: refused, {}
    fast-json-patch: refused, {}
    rfc6902: refused, {"holder":"db-1"}
{"term":1000000} [{"op":"test","path":"/term","value":1e6}]
    Go: refused, {"term":1000000}
    Python: done, {"term":1000000}
    fast-json-patch: done, {"term":1000000}
    rfc6902: done, {"term":1000000}
{} [{"op":"replace","path":"/holder","value":"db-1"}]
    Go: done, {"holder":"db-1"}
    Python: refused, {}
    fast-json-patch: done, {"holder":"db-1"}
    rfc6902: refused, {}
{"members":[0,1]} [{"op":"remove","path":"/members/-1"}]
    Go: done, {"members":[0]}
    Python: refused, {"members":[0,1]}
    fast-json-patch: done, {"members":[0]}
    rfc6902: refused, {"members":[0,1]}'
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
