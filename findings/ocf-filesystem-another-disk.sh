#!/usr/bin/env bash
# The resource agent ocf:heartbeat:Filesystem of resource-agents 4.12.0 (Debian 12), run as Pacemaker runs it.
#
# Expected: the agent's monitor says "running" where its device is mounted on its directory; start mounts it,
# or fails where something else is in its place.
# Seen: only the directory is compared. With another disk mounted there, monitor says "running" and start says
# "already mounted", both with status 0.
# Why it matters: after a mount by hand, or of an old line of fstab, the cluster starts the database on the wrong
# disk, and its checks stay green.
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

debian bookworm resource-agents=1:4.12.0-2 kmod=30+20221128-1 libkmod2=30+20221128-1
mkdir bin disk other data
ln -s "$lab/root/bin/kmod" bin/modprobe
touch disk/right other/wrong
cat >cluster <<'END'
mount -t tmpfs tmpfs /run
agent() {
    local status=0
    bash "$OCF_ROOT/resource.d/heartbeat/Filesystem" "$1" >>said 2>&1 || status=$?
    echo "$1: status $status, $(ls data)"
}
agent monitor
mount --bind other data
agent monitor
agent start
umount data
agent start
END

seen=$(
    export OCF_ROOT=$lab/root/usr/lib/ocf OCF_RA_VERSION_MAJOR=1 OCF_RA_VERSION_MINOR=0 HA_RSCTMP=/run \
        OCF_RESOURCE_INSTANCE=data OCF_RESOURCE_TYPE=Filesystem \
        OCF_RESKEY_device=$lab/disk OCF_RESKEY_directory=$lab/data OCF_RESKEY_fstype=none OCF_RESKEY_options=bind
    PATH=$lab/bin:$PATH LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu unshare --mount bash cluster
    grep -o "already mounted" said
)
# Status 7 is "not running".
stated="monitor: status 7, 
monitor: status 0, wrong
start: status 0, wrong
start: status 0, right
already mounted"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
