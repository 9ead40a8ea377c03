#!/usr/bin/env bash
# Borg 1.2.4, bup 0.33.7, restic 0.14.0, duplicity 0.8.22 and rdiff-backup 2.2.2 (Debian 12); bup needs git.
#
# Expected: "keep what is younger than 30 days" never takes the last backup away, as long as there is no newer one.
# Seen: where the last backup is older than that, Borg and bup remove all of them, status 0, also the newest. restic counts from
# its newest snapshot, duplicity keeps the last chain, and rdiff-backup the last state.
# Why it matters: backups fail for a month without notice, or a volume is not used, and the prune job, which needs no
# database to run, empties the repository. Give Borg `--keep-last 1` (or `--keep-monthly 1`) beside --keep-within.
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

debian bookworm borgbackup=1.2.4-1 python3-msgpack=1.0.3-2+b1 python3-packaging=23.0-1 libxxhash0=0.8.1-1 \
    bup=0.33.7-1~deb12u1 python3-pylibacl=0.7.0-2 python3-pyxattr=0.8.1-1 restic=0.14.0-1+b5 duplicity=0.8.22-1+b3 \
    python3-fasteners=0.17.3-2 python3-future=0.18.2-6 rdiff-backup=2.2.2-1 librsync2=2.3.2-1+b1 libb2-1=0.98.1-1.1
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu PYTHONPATH=$lab/root/usr/lib/python3/dist-packages TZ=UTC
export BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes RESTIC_PASSWORD=secret BUP_DIR=$lab/bup
borg() { /usr/bin/python3 root/usr/bin/borg "$@"; }
bup() { root/usr/lib/bup/cmd/bup "$@"; }
restic() { root/usr/bin/restic --repo restic "$@"; }
duplicity() { /usr/bin/python3 root/usr/bin/duplicity --no-encryption "$@"; }
rdiff() { /usr/bin/python3 root/usr/bin/rdiff-backup "$@"; }
mkdir data
{
    borg init --encryption none borg
    bup init
    restic init
    for month in 1 2 3; do
        day=2024-0$month-01 second=$(date --date "2024-0$month-01" +%s)
        echo $day >data/table
        borg create --timestamp ${day}T00:00:00 borg::$day data
        bup index data
        bup save --date "$second" --name db data
        restic backup --time "$day 00:00:00" data
        duplicity full --current-time "$second" data "file://$lab/duplicity"
        rdiff --current-time "$second" data rdiff
    done
} >log 2>&1 || { cat log >&2; exit 2; }
count() { # Says how many backups each program has.
    echo "$1: Borg $(borg list --short borg | wc -l), bup $(bup ls db | grep -c ^2)," \
        "restic $(restic snapshots --json | grep -o short_id | wc -l)," \
        "duplicity $(duplicity collection-status "file://$lab/duplicity" | grep -cE "^ +Full")," \
        "rdiff-backup $(rdiff -l rdiff | grep -cE "increments\.|^Current mirror")"
}

seen=$(
    exec 2>>log
    count "of three backups of 2024"
    {
        borg prune --keep-within 30d borg && bup prune-older --unsafe --keep-all-for 30d &&
            restic forget --keep-within 30d && duplicity remove-older-than 30D --force "file://$lab/duplicity" &&
            rdiff --force --remove-older-than 30D rdiff
    } >>log && echo "status of each: 0"
    count "kept"
)
stated="of three backups of 2024: Borg 3, bup 3, restic 3, duplicity 3, rdiff-backup 3
status of each: 0
kept: Borg 0, bup 0, restic 2, duplicity 1, rdiff-backup 1"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
