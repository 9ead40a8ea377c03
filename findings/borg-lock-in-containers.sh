#!/usr/bin/env bash
# Borg 1.2.4 (Debian 12), each Borg in a PID namespace of its own, as in two containers. Needs root.
#
# Expected: a repository that one Borg has locked keeps a second one out, also when both run in containers of one host.
# Seen: where both are process 1 the second takes the lock for its own. Where the first has another number, and no process of
# the second's namespace has it, the second takes the lock for a left-over and removes it. In both cases it writes, status 0,
# while the first runs. A lock names the host by its name and network card: where each container has a network of its own, the
# second fails, as it should.
# Why it matters: two backup sidecars with the host's network, or a check beside a prune, change one repository at the same
# time. A different BORG_HOST_ID in each container prevents it.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
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

debian bookworm borgbackup=1.2.4-1 python3-msgpack=1.0.3-2+b1 python3-packaging=23.0-1 libxxhash0=0.8.1-1
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu PYTHONPATH=$lab/root/usr/lib/python3/dist-packages
export BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes
borg=(/usr/bin/python3 root/usr/bin/borg)
container=(unshare --pid --fork --mount-proc --kill-child)
mkdir data
echo 1 >data/table
second() { # Runs a backup, the command before it being given, while a container holds the lock.
    rm -rf repository held
    "${borg[@]}" init --encryption none repository
    "${holder[@]}" "${borg[@]}" with-lock repository sh -c 'touch held; exec sleep 60' >holder.log 2>&1 &
    echo $! >>pids
    while [ ! -e held ]; do sleep 0.1; done
    "$@" >second.log 2>&1 && echo "writes while the first holds the lock" ||
        echo "fails: $(grep -o "Failed to create/acquire the lock" second.log)"
    kill -9 %% && wait %% 2>/dev/null || true
}
backup=("${borg[@]}" create repository::monday data)

seen=$(
    holder=()
    echo "one host, no containers: $(second "${backup[@]}")"
    holder=("${container[@]}")
    echo "process 1 and process 1: $(second "${container[@]}" "${backup[@]}")"
    holder=("${container[@]}" sh -c '"$@"; exit $?' sh)
    echo "process 2 and process 1: $(second "${container[@]}" "${backup[@]}")"
    holder=("${container[@]}" unshare --net)
    echo "with a network each: $(second "${container[@]}" unshare --net "${backup[@]}")"
)
stated="one host, no containers: fails: Failed to create/acquire the lock
process 1 and process 1: writes while the first holds the lock
process 2 and process 1: writes while the first holds the lock
with a network each: fails: Failed to create/acquire the lock"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
