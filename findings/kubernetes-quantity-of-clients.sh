#!/usr/bin/env bash
# Kubernetes clients and their reading of quantities: kubernetes 37.0.2 and lightkube 1.0.1 (PyPI),
# @kubernetes/client-node 1.4.0 (npm), k8s.io/apimachinery 0.34.1 (Go), which the API server uses.
#
# Expected: the clients' own functions for quantities read what the API server reads, and refuse what it refuses.
# Seen: the JavaScript one fails at "1.5Gi". lightkube fails at "137428n", as a metrics server writes the use of a CPU, and at
# "1E3". The Python one takes "1K" for a thousand, where the server refuses it.
# Why it matters: a check or a sum of resources passes for all manifests at hand, and fails, or is wrong, for the next one.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"
export HOME=$lab

python3 -m venv venv
venv/bin/pip --quiet install kubernetes==37.0.2 lightkube==1.0.1 || exit 2
npm install --silent --no-fund @kubernetes/client-node@1.4.0 || exit 2
mkdir module
cat >module/main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/api/resource"
)

func main() {
	quantity, err := resource.ParseQuantity(os.Args[1])
	if err != nil {
		fmt.Println("error")
		return
	}
	fmt.Printf("%.9f\n", quantity.AsApproximateFloat64())
}
GO
(
    cd module
    go mod init lab && go get k8s.io/apimachinery@v0.34.1 && go mod tidy && go build -o ../quantity .
) >go.log 2>&1 || { cat go.log >&2; exit 2; }
cat >quantity.py <<'PYTHON'
import importlib, sys
parse_quantity = importlib.import_module(sys.argv[1]).parse_quantity
try:
    print(f"{float(parse_quantity(sys.argv[2])):.9f}")
except ValueError:
    print("error")
PYTHON
cat >quantity.mjs <<'NODE'
import {quantityToScalar} from "./node_modules/@kubernetes/client-node/dist/util.js";
try {
    console.log(Number(quantityToScalar(process.argv[2])).toFixed(9));
} catch {
    console.log("error");
}
NODE

seen=$(
    for quantity in 512Mi 1.5Gi 137428n 1E3 1K; do
        echo "$quantity: server $(./quantity $quantity)," \
            "Python $(venv/bin/python quantity.py kubernetes.utils.quantity $quantity)," \
            "lightkube $(venv/bin/python quantity.py lightkube.utils.quantity $quantity)," \
            "JavaScript $(node quantity.mjs $quantity)"
    done | sed -E 's/(\.[0-9]*[1-9])0+\b/\1/g; s/\.0+\b//g'
)
stated="512Mi: server 536870912, Python 536870912, lightkube 536870912, JavaScript 536870912
1.5Gi: server 1610612736, Python 1610612736, lightkube 1610612736, JavaScript error
137428n: server 0.000137428, Python 0.000137428, lightkube error, JavaScript 0.000137428
1E3: server 1000, Python 1000, lightkube error, JavaScript 1000
1K: server error, Python 1000, lightkube error, JavaScript error"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
