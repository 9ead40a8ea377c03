#!/usr/bin/env bash
# jsonnet 0.22.0 (C++, PyPI), go-jsonnet 0.21.0 (github.com/google/go-jsonnet), Quantity of
# k8s.io/apimachinery 0.34.1.
#
# Expected: `cpu: 0.1` in a jsonnet file is 100m.
# Seen: both print 0.10000000000000001. Kubernetes rounds a quantity up, so it is 100000001n and counts as
# 101m. Only std.manifestYamlDoc of the Go one prints 0.1; that of the C++ one does not.
# Why it matters: three members that are cut to a quota or a node no longer fit; and a change of the tool,
# or of the way the file is printed, changes the pod template, so that a StatefulSet is rolled.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

python3 -m venv venv
venv/bin/pip --quiet install jsonnet==0.22.0 || exit 2
GOBIN=$lab go install github.com/google/go-jsonnet/cmd/jsonnet@v0.21.0 || exit 2
mkdir quantity
cat >quantity/main.go <<'END'
package main

import (
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/api/resource"
)

func main() {
	q := resource.MustParse(os.Args[1])
	fmt.Printf("%s is %s, counts as %dm\n", os.Args[1], q.String(), q.MilliValue())
}
END
(cd quantity && go mod init lab && go get k8s.io/apimachinery@v0.34.1 && go build -mod=mod -o ../parse .) >go.log 2>&1 || exit 2
echo '{ cpu: 0.1 }' >plain.jsonnet
echo 'std.manifestYamlDoc({ cpu: 0.1 })' >yaml.jsonnet
number() { grep -oE "[0-9][0-9.e-]+" | head -1; }

seen=$(
    for file in plain yaml; do
        printed=$(venv/bin/python -c "import _jsonnet; print(_jsonnet.evaluate_file('$file.jsonnet'))" | number)
        echo "C++, $file: $(./parse "$printed")"
        echo "Go, $file: $(./parse "$(./jsonnet "$file.jsonnet" | number)")"
    done
)
stated="C++, plain: 0.10000000000000001 is 100000001n, counts as 101m
Go, plain: 0.10000000000000001 is 100000001n, counts as 101m
C++, yaml: 0.10000000000000001 is 100000001n, counts as 101m
Go, yaml: 0.1 is 100m, counts as 100m"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
