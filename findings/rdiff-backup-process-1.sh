#!/usr/bin/env bash
# rdiff-backup 2.2.2 (Debian 12). Needs root.
#
# Expected: a backup that was killed is rolled back by the next one, which finds that the process is gone.
# Seen: so it is on one host. In a container rdiff-backup is process 1, notes the number in the repository, and the next
# container asks whether process 1 runs: it is itself. Each later backup is refused, until somebody uses --force.
# Why it matters: after one crash of a node there are no more backups, and --force in the command line, which mends it, takes
# away the guard for good.
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

debian bookworm rdiff-backup=2.2.2-1 librsync2=2.3.2-1+b1 libb2-1=0.98.1-1.1 python3-yaml=6.0-3+b2
export PYTHONPATH=$lab/root/usr/lib/python3/dist-packages LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu
backup=(/usr/bin/python3 root/usr/bin/rdiff-backup --new backup)
container=(unshare --pid --fork --mount-proc --kill-child)
mkdir source
files() { for number in $(seq 3000); do echo "$1" >"source/$number"; done; }
killed() { # Makes the repository $1 and kills its second backup, which COMMAND runs.
    local repository=$1
    shift
    files "$repository" && "$@" "${backup[@]}" source "$repository" >log 2>&1
    sleep 1.1
    files "again $repository"
    "$@" "${backup[@]}" source "$repository" >log 2>&1 &
    until [ "$(find "$repository/rdiff-backup-data" -name "current_mirror*" | wc -l)" = 2 ]; do sleep 0.1; done
    kill -9 $!
    wait $! || true
    sleep 1.1
}
next() { # Runs COMMAND and says how it ended.
    local status=0
    "$@" >log 2>&1 || status=$?
    grep -oE "regressing destination now|id [0-9]+ is still running" log | paste -sd" " | sed "s/^/status $status, /"
}

seen=$(
    killed host 2>/dev/null
    echo "on the host, next backup: $(next "${backup[@]}" source host)"
    killed containers "${container[@]}" 2>/dev/null
    for number in 1 2 3; do
        echo "in a container, next backup $number: $(next "${container[@]}" "${backup[@]}" source containers)"
    done
)
stated="on the host, next backup: status 2, regressing destination now
in a container, next backup 1: status 1, id 1 is still running
in a container, next backup 2: status 1, id 1 is still running
in a container, next backup 3: status 1, id 1 is still running"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
