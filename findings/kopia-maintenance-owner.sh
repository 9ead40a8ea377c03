#!/usr/bin/env bash
# kopia 0.21.1 (Go module github.com/kopia/kopia), each run in a UTS namespace of its own. Needs root.
#
# Expected: each run of `kopia snapshot create` also cleans the repository when that is due, as restic's prune may run on any
# host, or it warns that it may not.
# Seen: only the user and host name that made the repository cleans it. A pod with another name makes snapshots with status 0,
# never cleans and does not say so; `kopia maintenance run` is an error there.
# Why it matters: of a CronJob each pod has a new name. What its snapshots no longer need is never freed, and the
# repository grows until the disk is full. Fix it with `kopia maintenance set --owner=me` in each run, or with
# --override-hostname at `repository connect`.
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

go_build kopia github.com/kopia/kopia v0.21.1
export HOME=$lab/home KOPIA_PASSWORD=secret KOPIA_CHECK_FOR_UPDATES=false
mkdir home data
pod() { # Connects as a new pod NAME and makes a snapshot; further arguments are the last parts of the connect command.
    local name=$1 status=0
    shift
    rm -rf home/.config home/.cache
    date +%N >data/file
    sleep 3
    unshare --uts sh -euc 'hostname "$0"; ./kopia repository connect filesystem --path "$PWD/repository" "$@"
        ./kopia snapshot create data' "$name" "$@" >log 2>&1 || status=$?
    echo "$name${*:+ $*}: status $status, $(grep -oE "Running (full|quick) maintenance" log || echo "no word of maintenance")"
}
unshare --uts sh -euc 'hostname job-1; ./kopia repository create filesystem --path "$PWD/repository"
    ./kopia maintenance set --full-interval 1s --quick-interval 1s --pause-full 0s --pause-quick 0s' >log 2>&1

seen=$(
    pod job-1
    pod job-2
    pod job-3
    unshare --uts sh -c 'hostname job-3; ./kopia maintenance run --full' 2>&1 | grep -o "maintenance must.*"
    pod job-4 --override-hostname job-1
)
stated="job-1: status 0, Running full maintenance
job-2: status 0, no word of maintenance
job-3: status 0, no word of maintenance
maintenance must be run by designated user: root@job-1
job-4 --override-hostname job-1: status 0, Running full maintenance"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
