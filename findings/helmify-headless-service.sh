#!/usr/bin/env bash
# helmify 0.4.5 (Go module github.com/arttor/helmify).
#
# Expected: the chart that helmify makes of a StatefulSet and its headless Service gives the two back.
# Seen: the Service is no longer headless (clusterIP None is not in the chart), and its selector asks
# for app.kubernetes.io/name and /instance, which the template of the StatefulSet's pods does not get.
# A Deployment's pods do get them. Exit 0.
# Why it matters: the Service has no endpoints, and the members' names (db-0.db) do not resolve: no
# cluster forms.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

GOBIN=$lab go install github.com/arttor/helmify/cmd/helmify@v0.4.5 || exit 2
cat >all.yaml <<'END'
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 5432, targetPort: 5432}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 3
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "postgres:17"}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1.29"}]}
END
./helmify -f all.yaml chart

seen=$(
    echo "lines with clusterIP: $(cat chart/values.yaml chart/templates/* | grep -c clusterIP)"
    awk '/^kind:/ { kind = $2 } /^    metadata:/ { place = "pod labels" } /^  selector:/ { place = "selector" }
        /^    spec:|^  template:|^  ports:/ { place = "" } /selectorLabels/ && place { print kind, place ": selectorLabels" }' \
        chart/templates/*.yaml | sort
) || true
stated="lines with clusterIP: 0
Deployment pod labels: selectorLabels
Deployment selector: selectorLabels
Service selector: selectorLabels"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
