#!/usr/bin/env bash
# restic 0.14.0, Borg 1.2.4 (Debian 12).
#
# Expected: both tools apply "keep the last snapshot" and "keep one for each day" to each directory or each
# member. The host name changes nothing.
# Seen: restic applies the rule to each host name. A job in a pod has a new host name at each run, so restic
# removes no snapshot, and each run reads all files again. Borg applies the rule to the whole repository: if
# three members back up on one day, db-1 loses its only archive (the oldest archive stays).
# Why it matters: the repository of restic fills up, and Borg deletes the backup of a member; both exit 0.
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

debian bookworm restic=0.14.0-1+b5 borgbackup=1.2.4-1 python3-msgpack=1.0.3-2+b1 python3-packaging=23.0-1 libxxhash0=0.8.1-1
export RESTIC_PASSWORD=secret LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu
restic() { root/usr/bin/restic --repo restic.repo "$@"; }
borg() { PYTHONPATH=$lab/root/usr/lib/python3/dist-packages BORG_REPO=borg.repo /usr/bin/python3 root/usr/bin/borg "$@"; }
as() { # Runs a command on the host NAME.
    unshare --uts sh -c 'hostname "$0" && exec "$@"' "$@"
}
mkdir data
echo 1 >data/table

seen=$(
    restic --quiet init >said
    for pod in backup-29401-x7k2p backup-29402-q9d4m backup-29403-h2r8w; do
        as $pod root/usr/bin/restic --repo restic.repo backup data | grep -o "no parent.*"
    done
    restic forget --keep-last 1 >said
    echo "restic, of 3 snapshots: $(restic snapshots | grep -c /data)"
    export BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes
    borg init --encryption none
    for member in db-0 db-1 db-2; do
        as $member env PYTHONPATH="$lab/root/usr/lib/python3/dist-packages" /usr/bin/python3 root/usr/bin/borg create "borg.repo::$member-monday" data
    done
    borg prune --keep-daily 7
    echo "borg, of 3 members: $(borg list --short | paste -sd" ")"
)
stated="no parent snapshot found, will read all files
no parent snapshot found, will read all files
no parent snapshot found, will read all files
restic, of 3 snapshots: 3
borg, of 3 members: db-0-monday db-2-monday"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
