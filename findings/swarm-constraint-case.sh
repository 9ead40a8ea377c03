#!/usr/bin/env bash
# swarmkit 2.0.0 (Go module github.com/moby/swarmkit/v2), the scheduler of Docker Swarm.
#
# Expected: `node.labels.disk==a` is met by the label "a", and not by "A", as a node selector of Kubernetes.
# Seen: values are compared without case, those of labels, host names and ids alike; the key of a label is
# compared with case. A key with a "/" in it, as topology.kubernetes.io/zone, can be set on a node and is
# refused in a constraint.
# Why it matters: the disks "a" and "A" are one place to Swarm and two to Kubernetes, and a member may start
# on the data of another.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

cat >go.mod <<'END'
module lab
go 1.24
require github.com/moby/swarmkit/v2 v2.0.0
END
cat >main.go <<'END'
package main

import (
	"fmt"
	"os"

	"github.com/moby/swarmkit/v2/api"
	"github.com/moby/swarmkit/v2/manager/constraint"
)

func main() {
	node := &api.Node{
		Spec: api.NodeSpec{Annotations: api.Annotations{
			Labels: map[string]string{"disk": "A", "topology.kubernetes.io/zone": "A"},
		}},
		Description: &api.NodeDescription{Hostname: "DB-1"},
	}
	for _, text := range os.Args[1:] {
		parsed, err := constraint.Parse([]string{text})
		if err != nil {
			fmt.Println(text, err)
			continue
		}
		fmt.Println(text, constraint.NodeMatches(parsed, node))
	}
}
END
(go mod tidy && go build -o check .) >go.log 2>&1 || { cat go.log >&2; exit 2; }

seen=$(./check node.labels.disk==A node.labels.disk==a node.labels.disk==b node.labels.Disk==A node.labels.disk!=a \
    node.hostname==db-1 node.labels.topology.kubernetes.io/zone==A)
stated="node.labels.disk==A true
node.labels.disk==a true
node.labels.disk==b false
node.labels.Disk==A false
node.labels.disk!=a false
node.hostname==db-1 true
node.labels.topology.kubernetes.io/zone==A key 'node.labels.topology.kubernetes.io/zone' is invalid"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
