#!/usr/bin/env bash
# kustomize 5.8.1 (Go module sigs.k8s.io/kustomize/kustomize/v5).
#
# Expected: namePrefix renames a class and all that name it; a cluster-scoped class gets no namespace.
# Seen: in one StatefulSet, storageClassName is renamed in volumeClaimTemplates and not in an ephemeral
# volume's claim template. volumeAttributesClassName is renamed nowhere, though the class is; and
# `namespace:` gives a VolumeAttributesClass, which is cluster-scoped, a namespace.
# Why it matters: the claims name classes that are not there: the pods stay Pending.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

GOBIN=$lab go install sigs.k8s.io/kustomize/kustomize/v5@v5.8.1 || exit 2
cat >all.yaml <<'END'
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers: [{name: db, image: "postgres:17"}]
      volumes:
      - name: scratch
        ephemeral:
          volumeClaimTemplate:
            spec: {storageClassName: fast, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec:
      storageClassName: fast
      volumeAttributesClassName: gold
      accessModes: [ReadWriteOnce]
      resources: {requests: {storage: 1Gi}}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
provisioner: disks.example
---
apiVersion: storage.k8s.io/v1
kind: VolumeAttributesClass
metadata: {name: gold}
driverName: disks.example
parameters: {iops: "4000"}
END
cat >kustomization.yaml <<'END'
resources: [all.yaml]
namespace: prod
namePrefix: prod-
END

seen=$(./kustomize build . | grep -E "^kind|[cC]lassName|^  name(space)?:| ephemeral:|volumeClaimTemplates")
stated="kind: StorageClass
  name: prod-fast
kind: StatefulSet
  name: prod-db
  namespace: prod
      - ephemeral:
              storageClassName: fast
  volumeClaimTemplates:
      storageClassName: prod-fast
      volumeAttributesClassName: gold
kind: VolumeAttributesClass
  name: prod-gold
  namespace: prod"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
