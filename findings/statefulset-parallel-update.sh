#!/usr/bin/env bash
# kube-controller-manager 1.37.2: the controller of StatefulSets of its module k8s.io/kubernetes.
#
# Expected: a rolling update without `maxUnavailable` deletes one pod and waits until its successor is
# available, as in all versions before.
# Seen: with `podManagementPolicy: Parallel` it deletes all pods of the older revision that are not available,
# at once, whatever maxUnavailable says. A pod that is ready, but not yet for minReadySeconds, counts as not
# available. With the gate MaxUnavailableStatefulSet off, which 1.37 turned on, one goes at a time.
# Why it matters: an etcd of three that is changed a second time within its minReadySeconds loses its quorum,
# after an upgrade of the cluster that changed no manifest.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

# Compiles the controller with a client that keeps objects in memory; minutes the first time.
mkdir run
cat >run/main.go <<'END'
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	gates "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/kubernetes/pkg/controller/statefulset"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Arguments: the policy, the seconds for which the pods have been ready, a gate.
func main() {
	policy, gate := os.Args[1], os.Args[3]
	ready, err := strconv.Atoi(os.Args[2])
	must(err)
	must(gates.DefaultMutableFeatureGate.Set("StaleControllerConsistencyStatefulSet=false," + gate))
	ctx := context.Background()
	client := fake.NewClientset()
	all := informers.NewSharedInformerFactory(client, 0)
	controller := statefulset.NewStatefulSetController(ctx, all.Core().V1().Pods(), all.Apps().V1().StatefulSets(),
		all.Core().V1().PersistentVolumeClaims(), all.Apps().V1().ControllerRevisions(), client)
	all.Start(ctx.Done())
	all.WaitForCacheSync(ctx.Done())
	go controller.Run(ctx, 1)

	sets, pods := client.AppsV1().StatefulSets("default"), client.CoreV1().Pods("default")
	replicas, history, app := int32(3), int32(10), map[string]string{"app": "db"}
	set := &apps.StatefulSet{
		ObjectMeta: meta.ObjectMeta{Name: "db", Namespace: "default", UID: "1", Generation: 1},
		Spec: apps.StatefulSetSpec{
			Replicas: &replicas, RevisionHistoryLimit: &history, MinReadySeconds: 30,
			PodManagementPolicy: apps.PodManagementPolicyType(policy),
			Selector: &meta.LabelSelector{MatchLabels: app},
			Template: core.PodTemplateSpec{
				ObjectMeta: meta.ObjectMeta{Labels: app},
				Spec:       core.PodSpec{Containers: []core.Container{{Name: "db", Image: "db:1"}}},
			},
			UpdateStrategy: apps.StatefulSetUpdateStrategy{Type: apps.RollingUpdateStatefulSetStrategyType},
		},
	}
	_, err = sets.Create(ctx, set, meta.CreateOptions{})
	must(err)
	since := meta.NewTime(time.Now().Add(-time.Duration(ready) * time.Second))
	for made := 0; made < 3; {
		time.Sleep(100 * time.Millisecond)
		list, err := pods.List(ctx, meta.ListOptions{})
		must(err)
		made = 0
		for _, pod := range list.Items {
			made++
			if pod.Status.Phase == core.PodRunning {
				continue
			}
			pod.Status = core.PodStatus{Phase: core.PodRunning, Conditions: []core.PodCondition{
				{Type: core.PodReady, Status: core.ConditionTrue, LastTransitionTime: since},
			}}
			_, err := pods.UpdateStatus(ctx, &pod, meta.UpdateOptions{})
			must(err)
		}
	}
	time.Sleep(2 * time.Second)
	client.ClearActions()
	set, err = sets.Get(ctx, "db", meta.GetOptions{})
	must(err)
	set.Generation, set.Spec.Template.Spec.Containers[0].Image = 2, "db:2"
	_, err = sets.Update(ctx, set, meta.UpdateOptions{})
	must(err)
	time.Sleep(5 * time.Second)
	deleted := []string{}
	for _, action := range client.Actions() {
		if gone, ok := action.(interface{ GetName() string }); ok && action.Matches("delete", "pods") {
			deleted = append(deleted, gone.GetName())
		}
	}
	slices.Sort(deleted)
	deleted = slices.Compact(deleted)
	fmt.Println(policy+",", "ready for", ready, "s,", gate+": deleted", deleted)
}
END
(
    cd run
    go mod init lab
    module=$(go mod download -json k8s.io/kubernetes@v1.37.2 | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
    sed -nE 's|.*(k8s.io/[a-z-]+) v0\.0\.0$|\1|p' "$module" | sort -u | while read -r name; do
        go mod edit -replace "$name=$name@v0.37.2"
    done
    go get k8s.io/kubernetes@v1.37.2 k8s.io/api@v0.37.2 k8s.io/apimachinery@v0.37.2 k8s.io/apiserver@v0.37.2 \
        k8s.io/client-go@v0.37.2
    go build -mod=mod -o ../update .
) >go.log 2>&1 || { cat go.log >&2; exit 2; }

on=MaxUnavailableStatefulSet=true off=MaxUnavailableStatefulSet=false
seen=$(
    ./update Parallel 5 $on 2>>log
    ./update Parallel 5 $off 2>>log
    ./update OrderedReady 5 $on 2>>log
    ./update Parallel 60 $on 2>>log
)
stated="Parallel, ready for 5 s, $on: deleted [db-0 db-1 db-2]
Parallel, ready for 5 s, $off: deleted [db-2]
OrderedReady, ready for 5 s, $on: deleted [db-2]
Parallel, ready for 60 s, $on: deleted [db-2]"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
