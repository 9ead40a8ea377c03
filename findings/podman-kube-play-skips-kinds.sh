#!/usr/bin/env bash
# podman 4.3.1 (Debian 12). Needs root.
#
# Expected: `podman kube play` makes a pod of a StatefulSet or refuses it, and says what it cannot do.
# Seen: beside any object that it knows, a claim for example, a StatefulSet, CronJob, Job or a kind that does not exist is left
# out without a word, status 0. Alone it is refused. A `kind: List`, as `kubectl get -o yaml` writes it, is refused.
# Why it matters: a manifest of a database that comes with its claim or ConfigMap seems to be applied, and nothing runs; a
# StatefulSet among Deployments is missed by nobody until its clients fail.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"
export HOME=$lab

# Unpacks packages of a Debian release into ./root.
debian() {
    local site release=$1 apt
    shift
    site=$(apt-get indextargets --format '$(SITE)' | grep -m1 "debian$")
    mkdir -p apt/partial archives/partial
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $release main" >apt.list
    apt=(apt-get -qq -o "Dir::Etc::SourceList=$PWD/apt.list" -o Dir::Etc::SourceParts=-
        -o "Dir::State::Lists=$PWD/apt" -o "Dir::Cache=$PWD" -o APT::Sandbox::User=root)
    "${apt[@]}" update && "${apt[@]}" download "$@" || exit 2
    for package in *.deb; do dpkg -x "$package" root; done
}

debian bookworm podman=4.3.1+ds1-8+deb12u1+b3 conmon=2.1.6+ds1-1 crun=1.8.1-1+deb12u1 libyajl2=2.1.0-3+deb12u2 \
    libgpgme11=1.18.0-3+b1 libassuan0=2.5.5-5 libsubid4=1:4.13+dfsg1-1+deb12u2 golang-github-containers-common=0.50.1+ds1-4
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu CONTAINERS_CONF=$lab/containers.conf
printf '[engine]\nconmon_path=["%s"]\n[engine.runtimes]\ncrun=["%s"]\n' "$lab/root/usr/bin/conmon" "$lab/root/usr/bin/crun" >containers.conf
podman() {
    root/usr/bin/podman --root "$lab/storage" --runroot "$lab/run" --storage-driver vfs --cgroup-manager cgroupfs --runtime crun "$@"
}
object() { # Prints an object of KIND.
    printf -- '---\napiVersion: %s\nkind: %s\nmetadata: {name: %s}\n' "$1" "$2" "${2,,}"
}
play() { # Says what becomes of the file.
    local status=0
    podman kube play file.yaml >out 2>log || status=$?
    echo "$1: status $status, volumes: $(podman volume ls -q | paste -sd" "), $(podman pod ls -q | wc -l) pods," \
        "$(wc -w <log) words of warning"
    podman volume rm --all --force >out
}
claim='spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}'
template='template: {spec: {containers: [{name: db, image: "postgres:17"}], restartPolicy: Never}}'

seen=$(
    for kind in apps/v1/StatefulSet batch/v1/CronJob batch/v1/Job example.com/v1/Database; do
        object "${kind%/*}" "${kind##*/}" >file.yaml
        echo "spec: {$template}" >>file.yaml
        play "${kind##*/} alone"
        { object v1 PersistentVolumeClaim && echo "$claim"; } >>file.yaml
        play "${kind##*/} and a claim"
    done
    echo '{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data},' "$claim}]}" |
        sed 's/},spec:/}, spec:/' >file.yaml
    play "a List of one claim"
)
stated="StatefulSet alone: status 125, volumes: , 0 pods, 10 words of warning
StatefulSet and a claim: status 0, volumes: persistentvolumeclaim, 0 pods, 0 words of warning
CronJob alone: status 125, volumes: , 0 pods, 10 words of warning
CronJob and a claim: status 0, volumes: persistentvolumeclaim, 0 pods, 0 words of warning
Job alone: status 125, volumes: , 0 pods, 10 words of warning
Job and a claim: status 0, volumes: persistentvolumeclaim, 0 pods, 0 words of warning
Database alone: status 125, volumes: , 0 pods, 10 words of warning
Database and a claim: status 0, volumes: persistentvolumeclaim, 0 pods, 0 words of warning
a List of one claim: status 125, volumes: , 0 pods, 10 words of warning"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
