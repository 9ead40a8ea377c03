#!/usr/bin/env bash
# tar 1.34, bsdtar 3.6.2, zip 3.0, Borg 1.2.4, restic 0.14.0, rsync 3.2.7, rclone 1.60.1, duplicity 0.8.22 of Debian 12.
#
# Expected: the star of `--exclude 'data/*.log'` ends at a slash, as in a shell. The pattern leaves out the files
# "*.log" of data, and none of a folder below.
# Seen: so it is in restic, rsync, rclone and duplicity. In tar, bsdtar, zip and Borg the star stands for "wal/000001" too:
# data/wal/000001.log is left out, with status 0.
# Why it matters: RocksDB and LevelDB name their write-ahead logs "000001.log". The pattern that keeps the server's
# messages out of the backup keeps the last writes out too, once one moves from restic to Borg or from rsync to tar.
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

debian bookworm tar=1.34+dfsg-1.2+deb12u1 libarchive-tools=3.6.2-1+deb12u4 zip=3.0-13 borgbackup=1.2.4-1 \
    python3-msgpack=1.0.3-2+b1 python3-packaging=23.0-1 libxxhash0=0.8.1-1 restic=0.14.0-1+b5 \
    rsync=3.2.7-1+deb12u6 libpopt0=1.19+dfsg-1 rclone=1.60.1+dfsg-2+b5 duplicity=0.8.22-1+b3 \
    python3-fasteners=0.17.3-2 python3-future=0.18.2-6 librsync2=2.3.2-1+b1 libb2-1=0.98.1-1.1 libgomp1=12.2.0-14+deb12u1
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu RESTIC_PASSWORD=secret RESTIC_REPOSITORY=$lab/restic.repo
export BORG_REPO=$lab/borg.repo BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes
export PATH=$lab/root/bin:$lab/root/usr/bin:$PATH
python() { PYTHONPATH=$lab/root/usr/lib/python3/dist-packages /usr/bin/python3 "$@"; }
borg() { python "$lab/root/usr/bin/borg" "$@"; }
duplicity() { python "$lab/root/usr/bin/duplicity" --no-encryption "$@"; }
mkdir -p host/data/wal
cd host
echo text | tee data/server.log data/wal/000001.log >data/CURRENT
{ restic init && borg init --encryption none; } >../log 2>&1 || { cat ../log >&2; exit 2; }
row() { # NAME COMMAND: says which files of data COMMAND lists.
    local name=$1
    shift
    echo "$name:$("$@" 2>>../log | grep -oE "(CURRENT|server.log|wal/000001.log)$" | sort | sed 's/^/ /' | tr -d '\n')"
}
with_tar() { "$1" -cf - --exclude 'data/*.log' data | "$1" -tf -; }
with_zip() { zip -qr ../data.zip data -x 'data/*.log' && python3 -m zipfile -l ../data.zip | cut -d' ' -f1; }
with_borg() { borg create --exclude 'data/*.log' ::one data && borg list --short ::one; }
with_restic() { restic --quiet backup --exclude 'data/*.log' data && restic ls latest; }
with_rsync() { rsync -a --exclude 'data/*.log' data ../copy && find ../copy -type f; }
with_rclone() { rclone lsf -R --exclude 'data/*.log' .; }
with_duplicity() {
    duplicity --exclude './data/*.log' . "file://$lab/duplicity.repo" >../said
    duplicity list-current-files "file://$lab/duplicity.repo"
}

seen=$(
    row tar with_tar tar
    row bsdtar with_tar bsdtar
    row zip with_zip
    row Borg with_borg
    row restic with_restic
    row rsync with_rsync
    row rclone with_rclone
    row duplicity with_duplicity
)
stated="tar: CURRENT
bsdtar: CURRENT
zip: CURRENT
Borg: CURRENT
restic: CURRENT wal/000001.log
rsync: CURRENT wal/000001.log
rclone: CURRENT wal/000001.log
duplicity: CURRENT wal/000001.log"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
