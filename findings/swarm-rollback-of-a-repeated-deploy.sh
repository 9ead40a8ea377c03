#!/usr/bin/env bash
# swarmkit 2.0.0 (Go module github.com/moby/swarmkit/v2), the managers of Docker Swarm.
#
# Expected: `docker service rollback` brings back the last version that differs, as `kubectl rollout undo`.
# Seen: it brings back what was accepted before, also if that was the same. `docker stack deploy` updates
# every service of its file, changed or not, so after the same file was deployed twice the way back is gone:
# the rollback starts, ends well, and the bad version runs on. A rollback of a rollback goes forward again.
# Why it matters: a job that deploys a bad version and tries once more takes away the way back, for a person
# and for `failure_action: rollback`, which uses the same field.
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
	"context"
	"fmt"
	"os"

	"github.com/moby/swarmkit/v2/api"
	"github.com/moby/swarmkit/v2/manager/controlapi"
	"github.com/moby/swarmkit/v2/manager/state/store"
)

func spec(image string) *api.ServiceSpec {
	return &api.ServiceSpec{
		Annotations: api.Annotations{Name: "db"},
		Task: api.TaskSpec{Runtime: &api.TaskSpec_Container{Container: &api.ContainerSpec{Image: image}}},
		Mode: &api.ServiceSpec_Replicated{Replicated: &api.ReplicatedService{Replicas: 1}},
	}
}

// Each argument is a version that is deployed, or "rollback".
func main() {
	memory := store.NewMemoryStore(nil)
	defer memory.Close()
	server := controlapi.NewServer(memory, nil, nil, nil, nil)
	context := context.Background()
	var service *api.Service
	for i, what := range os.Args[1:] {
		if i == 0 {
			made, err := server.CreateService(context, &api.CreateServiceRequest{Spec: spec(what)})
			if err != nil {
				panic(err)
			}
			service = made.Service
			continue
		}
		request := &api.UpdateServiceRequest{ServiceID: service.ID, ServiceVersion: &service.Meta.Version}
		// The client of docker sends the specification that it has read.
		if request.Spec = &service.Spec; what == "rollback" {
			request.Rollback = api.UpdateServiceRequest_PREVIOUS
		} else {
			request.Spec = spec(what)
		}
		updated, err := server.UpdateService(context, request)
		if err != nil {
			fmt.Println(os.Args[1:], "refused:", err)
			return
		}
		service = updated.Service
	}
	fmt.Println(os.Args[1:], "runs", service.Spec.Task.GetContainer().Image, service.UpdateStatus.State)
}
END
(go mod tidy && go build -o manager .) >go.log 2>&1 || { cat go.log >&2; exit 2; }

seen=$(
    ./manager good:1 bad:2 rollback
    ./manager good:1 bad:2 bad:2 rollback
    ./manager good:1 bad:2 rollback rollback
    ./manager good:1 rollback | grep -oE "refused.*Precondition"
)
stated="[good:1 bad:2 rollback] runs good:1 ROLLBACK_STARTED
[good:1 bad:2 bad:2 rollback] runs bad:2 ROLLBACK_STARTED
[good:1 bad:2 rollback rollback] runs bad:2 ROLLBACK_STARTED
refused: rpc error: code = FailedPrecondition"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
