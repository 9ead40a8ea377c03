#!/usr/bin/env bash
# kustomize 5.8.1 (Go module sigs.k8s.io/kustomize/kustomize/v5).
#
# Expected: a strategic merge patch that names a volume mount, a port or a raw device and gives it another path or number
# changes it.
# Seen: it adds a second one. These lists are merged by mountPath, containerPort and devicePath; the name is no key. The
# volume is then mounted at both paths, and the two ports have one name. A volume is merged by its name, and keeps its old
# source beside the new one. Exit 0, no warning.
# Why it matters: an image with another data directory gets both. The doubled port and the volume with two sources are
# refused by the API server only when they are applied.
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
  template:
    spec:
      containers:
      - name: db
        ports: [{name: sql, containerPort: 5432}]
        volumeMounts: [{name: data, mountPath: /var/lib/postgresql/data}]
        volumeDevices: [{name: wal, devicePath: /dev/wal}]
      volumes: [{name: scratch, emptyDir: {}}]
END
cat >kustomization.yaml <<'END'
resources: [set.yaml]
patches:
- patch: |
    apiVersion: apps/v1
    kind: StatefulSet
    metadata: {name: db}
    spec:
      template:
        spec:
          containers:
          - name: db
            ports: [{name: sql, containerPort: 5433}]
            volumeMounts: [{name: data, mountPath: /var/lib/postgresql}]
            volumeDevices: [{name: wal, devicePath: /dev/log}]
          volumes: [{name: scratch, persistentVolumeClaim: {claimName: scratch}}]
END

seen=$(./kustomize build . | sed -n '/containers:/,$p')
stated="      containers:
      - name: db
        ports:
        - containerPort: 5433
          name: sql
        - containerPort: 5432
          name: sql
        volumeDevices:
        - devicePath: /dev/log
          name: wal
        - devicePath: /dev/wal
          name: wal
        volumeMounts:
        - mountPath: /var/lib/postgresql
          name: data
        - mountPath: /var/lib/postgresql/data
          name: data
      volumes:
      - emptyDir: {}
        name: scratch
        persistentVolumeClaim:
          claimName: scratch"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
