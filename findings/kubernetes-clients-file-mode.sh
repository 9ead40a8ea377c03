#!/usr/bin/env bash
# Official Kubernetes clients: Python `kubernetes` 37.0.2 with PyYAML 6.0.4 (PyPI), JavaScript
# @kubernetes/client-node 1.4.0 (npm); sigs.k8s.io/yaml 1.6.0, which kubectl reads manifests with.
#
# Expected: `defaultMode: 0400` of a secret volume means 0400 to every official client, or 400 to all.
# Seen: kubectl and Python read octal (256); JavaScript reads decimal 400, which is mode 0620: the
# group may write the key. The other notation, 0o400, is a string to Python. Only 256 is one number.
# Why it matters: PostgreSQL, MongoDB and ssh refuse a key that the group can read, on the clusters
# that the JavaScript tool deployed.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

python3 -m venv venv
venv/bin/pip --quiet install kubernetes==37.0.2 PyYAML==6.0.4 || exit 2
npm install --silent --no-audit --no-fund --prefix . @kubernetes/client-node@1.4.0 || exit 2
mkdir kubectl
cat >kubectl/main.go <<'END'
package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

func main() {
	text, _ := os.ReadFile(os.Args[1])
	json, err := yaml.YAMLToJSON(text)
	fmt.Println(string(json), err)
}
END
(cd kubectl && go mod init lab && go get sigs.k8s.io/yaml@v1.6.0 && go build -o ../read .) >go.log 2>&1 || exit 2
cat >read.mjs <<'END'
import { readFileSync } from "fs";
import { loadYaml } from "@kubernetes/client-node";
console.log(JSON.stringify(loadYaml(readFileSync(process.argv[2], "utf8"))));
END

seen=$(
    for mode in 0400 0o400 256; do
        echo "defaultMode: $mode" >volume.yaml
        echo "$mode: kubectl $(./read volume.yaml), Python" \
            "$(venv/bin/python -c 'import kubernetes, yaml; print(yaml.safe_load(open("volume.yaml")))')," \
            "JavaScript $(node read.mjs volume.yaml)"
    done
)
stated="0400: kubectl {\"defaultMode\":256} <nil>, Python {'defaultMode': 256}, JavaScript {\"defaultMode\":400}
0o400: kubectl {\"defaultMode\":256} <nil>, Python {'defaultMode': '0o400'}, JavaScript {\"defaultMode\":256}
256: kubectl {\"defaultMode\":256} <nil>, Python {'defaultMode': 256}, JavaScript {\"defaultMode\":256}"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
