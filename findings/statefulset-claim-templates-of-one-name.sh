#!/usr/bin/env bash
# kube-apiserver 1.36.3: the defaults and validation of its module k8s.io/kubernetes.
#
# Expected: two volumeClaimTemplates with one name are refused, as two volumes, two containers or two
# mounts of one path are ("Duplicate value").
# Seen: the set is accepted, without an error or a warning. The controller keys claims by the template's
# name, so one of the two templates makes no claim.
# Why it matters: an overlay that adds a template instead of changing one asks for 100Gi beside 1Gi, and
# which disk the members get is not said; afterwards no template can be changed.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

# Compiles the API server's own defaults and validation; minutes the first time.
mkdir judge
cat >judge/main.go <<'END'
package main

import (
	"context"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/apps"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
)

func main() {
	text, _ := os.ReadFile(os.Args[1])
	decoder := serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict).UniversalDecoder()
	object, _, err := decoder.Decode(text, nil, nil)
	if err != nil {
		fmt.Println("not decoded:", err)
		return
	}
	set := object.(*apps.StatefulSet)
	set.Namespace = "default"
	context := request.WithNamespace(context.Background(), "default")
	statefulset.Strategy.PrepareForCreate(context, set)
	fmt.Println("errors:", statefulset.Strategy.Validate(context, set).ToAggregate())
	fmt.Println("warnings:", statefulset.Strategy.WarningsOnCreate(context, set))
	for _, claim := range set.Spec.VolumeClaimTemplates {
		fmt.Println(claim.Name, claim.Spec.Resources.Requests.Storage())
	}
}
END
(
    cd judge
    go mod init lab
    module=$(go mod download -json k8s.io/kubernetes@v1.36.3 | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
    sed -nE 's|.*(k8s.io/[a-z-]+) v0\.0\.0$|\1|p' "$module" | sort -u | while read -r name; do
        go mod edit -replace "$name=$name@v0.36.3"
    done
    go get k8s.io/kubernetes@v1.36.3 k8s.io/apimachinery@v0.36.3 k8s.io/apiserver@v0.36.3
    go build -mod=mod -o ../validate .
) >go.log 2>&1 || { cat go.log >&2; exit 2; }
cat >set.yaml <<'END'
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "postgres:17", volumeMounts: [{name: data, mountPath: /data}]}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 100Gi}}}
END

seen=$(./validate set.yaml)
stated="errors: <nil>
warnings: []
data 1Gi
data 100Gi"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
