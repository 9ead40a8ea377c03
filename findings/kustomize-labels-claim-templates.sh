#!/usr/bin/env bash
# kustomize 5.8.1 (Go module sigs.k8s.io/kustomize/kustomize/v5).
#
# Expected: `labels:` with includeTemplates and without includeSelectors adds a label to deployed objects
# safely: only pod templates change, no immutable field.
# Seen: it also labels each of a StatefulSet's volumeClaimTemplates, which no update may change.
# Why it matters: the label is rolled out to every Deployment and DaemonSet, and the API server refuses
# the StatefulSets: each must be deleted with --cascade=orphan and created again, for one label.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

GOBIN=$lab go install sigs.k8s.io/kustomize/kustomize/v5@v5.8.1 || exit 2
cat >set.yaml <<'END'
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "postgres:17"}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
END
cat >kustomization.yaml <<'END'
resources: [set.yaml]
labels:
- pairs: {team: storage}
  includeTemplates: true
END

seen=$(./kustomize build . | grep -E "^metadata|^  (selector|template|volumeClaimTemplates)|team:")
stated="metadata:
    team: storage
  selector:
  template:
        team: storage
  volumeClaimTemplates:
        team: storage"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
