#!/usr/bin/env bash
# kustomize 5.8.1 (Go module sigs.k8s.io/kustomize/kustomize/v5).
#
# Expected: `namespace:` and `namePrefix:` change the claimRef of a PersistentVolume along with the
# claim; the way back, a claim's volumeName, is renamed with the volume.
# Seen: the claim and its volumeName are renamed, the volume's claimRef is left as it was.
# Why it matters: the volume is reserved for a claim that nobody makes; the real claim waits for ever,
# or with a default class gets a new and empty volume.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

GOBIN=$lab go install sigs.k8s.io/kustomize/kustomize/v5@v5.8.1 || exit 2
cat >all.yaml <<'END'
apiVersion: v1
kind: PersistentVolume
metadata: {name: disk-1}
spec:
  claimRef: {apiVersion: v1, kind: PersistentVolumeClaim, namespace: default, name: data}
  accessModes: [ReadWriteOnce]
  capacity: {storage: 1Gi}
  hostPath: {path: /srv/db}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: default}
spec: {volumeName: disk-1, storageClassName: "", accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
END
printf 'resources: [all.yaml]\nnamespace: prod\nnamePrefix: prod-\n' >kustomization.yaml

seen=$(./kustomize build . | grep -E "^kind|name(space)?:|claimRef|volumeName")
stated="kind: PersistentVolume
  name: prod-disk-1
  claimRef:
    name: data
    namespace: default
kind: PersistentVolumeClaim
  name: prod-data
  namespace: prod
  volumeName: prod-disk-1"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
