#!/usr/bin/env bash
# kompose 1.38.0 (Go module github.com/kubernetes/kompose).
#
# Expected: a service of three replicas becomes a workload of three, whatever its restart policy; with the label
# kompose.controller.type: statefulset a StatefulSet.
# Seen: with `restart: on-failure` or "no", or deploy.restart_policy.condition on-failure, it becomes one bare Pod. The
# replicas and the label are dropped without a word.
# Why it matters: three members become one, which nothing makes again once its node is drained or gone.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

# Builds PACKAGE at VERSION into ./NAME.
go_build() {
    local module
    module=$(mktemp -d -p .)
    (
        cd "$module"
        go mod init lab && go get "$2@$3" && go build -mod=mod -o "$lab/$1" "$2"
    ) >go.log 2>&1 || { cat go.log >&2; exit 2; }
}

go_build kompose github.com/kubernetes/kompose v1.38.0
convert() { # A service of three replicas with LINES.
    {
        printf '%s\n' services: "  db:" "    image: postgres:17" "    labels: {kompose.controller.type: statefulset}" \
            '    ports: ["5432"]' "    deploy:" "      replicas: 3" "$@"
    } >compose.yml
    ./kompose convert -f compose.yml --stdout >out 2>log || { cat log; return; }
    sed -nE 's/^kind: //p; s/^  (replicas: .*)/\1/p; s/^ *(restartPolicy: .*)/\1/p' out | grep -v Service | paste -sd" "
    grep -oE "(WARN|ERRO).*" log || true
}

seen=$(
    echo "always: $(convert '    restart: always')"
    echo "on-failure: $(convert '    restart: on-failure')"
    echo "no: $(convert '    restart: "no"')"
    echo "restart_policy: $(convert '      restart_policy: {condition: on-failure}')"
)
stated="always: StatefulSet replicas: 3 restartPolicy: Always
on-failure: Pod restartPolicy: OnFailure
no: Pod restartPolicy: Never
restart_policy: Pod restartPolicy: OnFailure"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
