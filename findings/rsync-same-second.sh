#!/usr/bin/env bash
# rsync 3.2.7, rdiff-backup 2.2.2, duplicity 0.8.22, rclone 1.60.1, restic 0.14.0, Borg 1.2.4, cp 9.1 of Debian 12.
#
# Expected: a file that was written again after the last copy, with the same size, is copied again: its time differs,
# if only in the fraction of a second, which rsync -a keeps.
# Seen: rsync, rdiff-backup and duplicity compare whole seconds, and leave the old content. rclone, restic, Borg and cp -u
# take the new one.
# Why it matters: "copy while it runs, stop it, copy the rest" misses what the service wrote in the second in which the
# first copy read the file. Files of databases keep their size: pages, preallocated logs, LevelDB's CURRENT,
# pg_control. rsync has --modify-window=-1 for it.
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

debian bookworm rsync=3.2.7-1+deb12u6 libpopt0=1.19+dfsg-1 rdiff-backup=2.2.2-1 librsync2=2.3.2-1+b1 libb2-1=0.98.1-1.1 \
    libgomp1=12.2.0-14+deb12u1 \
    duplicity=0.8.22-1+b3 python3-fasteners=0.17.3-2 python3-future=0.18.2-6 rclone=1.60.1+dfsg-2+b5 \
    restic=0.14.0-1+b5 borgbackup=1.2.4-1 python3-msgpack=1.0.3-2+b1 python3-packaging=23.0-1 libxxhash0=0.8.1-1 \
    coreutils=9.1-1
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu RESTIC_PASSWORD=secret RESTIC_REPOSITORY=$lab/restic.repo
export BORG_REPO=$lab/borg.repo BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes
export PATH=$lab/root/bin:$lab/root/usr/bin:$PATH
python() { PYTHONPATH=$lab/root/usr/lib/python3/dist-packages /usr/bin/python3 "$@"; }
borg() { python "$lab/root/usr/bin/borg" "$@"; }
duplicity() { python "$lab/root/usr/bin/duplicity" --no-encryption "$@"; }
write() { # The file CURRENT, at a FRACTION of one and the same second.
    echo "MANIFEST-00000$1" >data/CURRENT
    touch -d "2026-01-01 10:00:00.$2" data/CURRENT
}
copy() {
    rsync -a data/ with-rsync
    python "$lab/root/usr/bin/rdiff-backup" --new backup data with-rdiff-backup
    duplicity data "file://$lab/duplicity.repo"
    rclone sync data with-rclone
    restic backup data
    borg create "::{now}" data
    cp -au data/. with-cp
    rsync -a --modify-window=-1 data/ with-rsync-window
    sleep 1.1
}

mkdir data with-cp
{
    restic init
    borg init --encryption none
    write 4 1
    copy
    write 7 9
    copy
    duplicity restore "file://$lab/duplicity.repo" with-duplicity
    restic restore latest --target with-restic
    mkdir with-borg
    (cd with-borg && borg extract "::$(borg list --last 1 --short)")
} >log 2>&1 || { cat log >&2; exit 2; }
seen=$(
    for tool in rsync rdiff-backup duplicity rclone restic borg cp rsync-window; do
        echo "$tool: $(cat "$(find with-$tool -name CURRENT | grep -v rdiff-backup-data)")"
    done
)
stated="rsync: MANIFEST-000004
rdiff-backup: MANIFEST-000004
duplicity: MANIFEST-000004
rclone: MANIFEST-000007
restic: MANIFEST-000007
borg: MANIFEST-000007
cp: MANIFEST-000007
rsync-window: MANIFEST-000007"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
