#!/usr/bin/env bash
# The three-way merge of `kubectl apply` (k8s.io/apimachinery and k8s.io/api 0.34.1), client-side, which is
# still its default.
#
# Expected: a container with TCP port 53 gets UDP port 53 as well: `kubectl apply` says "configured".
# Seen: ports are merged by containerPort alone, so the UDP port is merged into the TCP port. One port is
# stored, and it is the TCP port. Removing UDP from both lists removes TCP too. An object that is created
# with both ports, or applied with --server-side, has both.
# Why it matters: a DNS, Consul or Corosync member without its UDP port runs and is not in its cluster. A
# host port that is missing does not keep a second member away.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

mkdir merge
cat >merge/main.go <<'END'
package main

import (
	"encoding/json"
	"fmt"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

func pod(protocols ...core.Protocol) []byte {
	container := core.Container{Name: "dns"}
	for _, p := range protocols {
		container.Ports = append(container.Ports, core.ContainerPort{ContainerPort: 53, HostPort: 53, Protocol: p})
	}
	text, _ := json.Marshal(core.Pod{Spec: core.PodSpec{Containers: []core.Container{container}}})
	return text
}

// apply does what kubectl does with the last applied, the new and the live object.
func apply(what string, last, next, live []byte) {
	meta, _ := strategicpatch.NewPatchMetaFromStruct(core.Pod{})
	patch, err := strategicpatch.CreateThreeWayMergePatch(last, next, live, meta, true)
	if err == nil {
		live, err = strategicpatch.StrategicMergePatch(live, patch, core.Pod{})
	}
	var after core.Pod
	json.Unmarshal(live, &after)
	fmt.Print(what, ":")
	for _, port := range after.Spec.Containers[0].Ports {
		fmt.Print(" ", port.ContainerPort, "/", port.Protocol)
	}
	fmt.Println(" error", err)
}

func main() {
	tcp, both := pod("TCP"), pod("TCP", "UDP")
	apply("UDP added", tcp, both, tcp)
	apply("UDP taken away", both, tcp, both)
}
END
(cd merge && go mod init lab && go get k8s.io/api@v0.34.1 k8s.io/apimachinery@v0.34.1 && go build -mod=mod -o ../apply .) >go.log 2>&1 || exit 2

seen=$(./apply)
stated="UDP added: 53/TCP error <nil>
UDP taken away: error <nil>"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
