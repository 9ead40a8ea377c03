#!/usr/bin/env bash
# kustomize 5.8.1 (Go module sigs.k8s.io/kustomize/kustomize/v5).
#
# Expected: a strategic merge patch finds the claim template by its name, as it finds containers,
# volumes and volumeMounts by theirs, and changes the size.
# Seen: the list has no merge key, so the patch replaces it whole: the other template is gone, and of
# this one all that the patch does not repeat, here the access mode and the class. Exit 0, no warning.
# Why it matters: an overlay that asks for a larger disk gives a set whose pods mount a volume that no
# template makes; on a cluster that has it already, the API server refuses the change.
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
    spec:
      containers:
      - {name: db, image: "postgres:17", volumeMounts: [{name: data, mountPath: /data}, {name: wal, mountPath: /wal}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {storageClassName: fast, accessModes: [ReadWriteOncePod], resources: {requests: {storage: 1Gi}}}
  - metadata: {name: wal}
    spec: {storageClassName: fast, accessModes: [ReadWriteOncePod], resources: {requests: {storage: 1Gi}}}
END
cat >kustomization.yaml <<'END'
resources: [set.yaml]
patches:
- patch: |
    apiVersion: apps/v1
    kind: StatefulSet
    metadata: {name: db}
    spec:
      volumeClaimTemplates:
      - metadata: {name: data}
        spec: {resources: {requests: {storage: 9Gi}}}
END

seen=$(./kustomize build . | sed -n '/volumeClaimTemplates/,$p')
stated="  volumeClaimTemplates:
  - metadata:
      name: data
    spec:
      resources:
        requests:
          storage: 9Gi"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
