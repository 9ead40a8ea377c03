#!/usr/bin/env bash
# systemd 252, restic 0.14.0, Borg 1.2.4, rclone 1.60.1, duplicity 0.8.22, rdiff-backup 2.2.2 of Debian 12.
#
# Expected: "5m" is five minutes, as in systemd, Go and Kubernetes, and "5M" is the same or an error.
# Seen: to restic and Borg "5m" is five months, and "5M" an error. To the others "5m" is minutes and "5M" five months, so
# that TimeoutStopSec=5M of systemd waits for five months.
# Why it matters: `--keep-within 30m`, for the half hour around an upgrade, keeps backups for two and a half years;
# `rclone --max-age`, with the same letter, copies half an hour.
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

debian bookworm systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2 restic=0.14.0-1+b5 borgbackup=1.2.4-1 \
    python3-msgpack=1.0.3-2+b1 python3-packaging=23.0-1 libxxhash0=0.8.1-1 rclone=1.60.1+dfsg-2+b5 \
    duplicity=0.8.22-1+b3 python3-fasteners=0.17.3-2 python3-future=0.18.2-6 librsync2=2.3.2-1+b1 libb2-1=0.98.1-1.1 \
    libgomp1=12.2.0-14+deb12u1 rdiff-backup=2.2.2-1
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu RESTIC_PASSWORD=secret RESTIC_REPOSITORY=$lab/restic.repo
export BORG_REPO=$lab/borg.repo BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes
export PATH=$lab/root/usr/bin:$PATH PYTHONPATH=$lab/root/usr/lib/python3/dist-packages
private=$(dirname "$(find "$lab/root" -name 'libsystemd-shared*')")
borg() { /usr/bin/python3 "$lab/root/usr/bin/borg" "$@"; }
cat >seconds.py <<'END'
import sys
from duplicity import dup_time
from rdiff_backup import Time
print(f"duplicity: {dup_time.intstringtoseconds(sys.argv[1]) // 60} minutes")
print(f"rdiff-backup: {Time._intervalstr_to_seconds(sys.argv[1]) // 60} minutes")
END
mkdir data files
{
    restic init
    borg init --encryption none
    for hours in 9000 2000 48 2 0; do # A year, and less than three months.
        touch -d "$hours hours ago" "files/$hours"
        echo $hours >data/file
        restic backup --time "$(date -d "$hours hours ago" "+%F %T")" data
        borg create --timestamp "$(date -u -d "$hours hours ago" +%FT%T)" "::$hours" data
    done
} >log 2>&1 || { cat log >&2; exit 2; }

seen=$(
    for interval in 5m 5M; do
        echo "$interval"
        restic forget --dry-run --keep-within $interval >said 2>&1 &&
            echo "restic keeps$(sed -n 's/^keep \([0-9]*\) .*/ \1 of 5/p' said)" || echo "restic refuses"
        borg prune --dry-run --list --keep-within $interval >said 2>&1 &&
            echo "borg keeps $(grep -c "^Keeping archive" said) of 5" || echo "borg refuses"
        echo "rclone takes $(rclone lsf --max-age $interval files 2>>log | wc -l) of 5"
        echo "systemd: $(LD_LIBRARY_PATH=$private systemd-analyze timespan $interval | sed -n 's/.*Human: //p')"
        /usr/bin/python3 seconds.py $interval
    done
)
stated="5m
restic keeps 4 of 5
borg keeps 4 of 5
rclone takes 1 of 5
systemd: 5min
duplicity: 5 minutes
rdiff-backup: 5 minutes
5M
restic refuses
borg refuses
rclone takes 4 of 5
systemd: 5month
duplicity: 216000 minutes
rdiff-backup: 216000 minutes"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
