#!/usr/bin/env bash
# Unison 2.52.1 (Debian 12). Needs root, to name the host.
#
# Expected: Unison remembers what two replicas had in common in its own directory; where that is on a volume, a new pod goes on
# from there: it deletes what was deleted, and copies what changed.
# Seen: the memory belongs to the host name too. Under a new name Unison takes the pair for one that it has never seen: a file
# that was deleted on one side comes back from the other, and one that changed is a conflict and is skipped. Under the old
# name both are carried over.
# Why it matters: pods of a Job or a Deployment have a new name each. Deleted data comes back without a message, and changes
# stay on one side. UNISONLOCALHOSTNAME gives the name that does not change.
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

debian bookworm unison-2.52=2.52.1-1
export UNISON=$lab/memory
sync() { # Synchronizes on the host NAME.
    unshare --uts sh -c 'hostname "$0" && exec root/usr/bin/unison-2.52 one other -batch -auto' "$1" >log 2>&1 &&
        echo "status 0" || echo "status $?"
}
try() { # Lets the host FIRST synchronize, deletes one file, changes one, and lets the host SECOND synchronize.
    rm -rf one other memory
    mkdir one other
    echo 1 >one/deleted
    echo 1 >one/changed
    sync "$1" >said
    rm one/deleted
    echo 22 >one/changed
    echo "$1, then $2: $(sync "$2"), files of the other $(cd other && echo *), changed is $(cat other/changed)"
}

seen=$(
    try sync-x7k2p sync-x7k2p
    try sync-x7k2p sync-q9d4m
)
stated="sync-x7k2p, then sync-x7k2p: status 0, files of the other changed, changed is 22
sync-x7k2p, then sync-q9d4m: status 1, files of the other changed deleted, changed is 1"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
