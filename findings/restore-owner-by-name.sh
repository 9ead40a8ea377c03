#!/usr/bin/env bash
# tar 1.34, bsdtar 3.6.2, Borg 1.2.4 and restic 0.14.0 of Debian 12, as root.
#
# Expected: backup tools that run as root give files back with the numbers they had, at least all in one way.
# Seen: where the name of the owner has another number on the new node, tar, bsdtar and Borg take the number of
# the name, restic the old number.
# Why it matters: the user of a container has a number and no name. A file of 70, "postgres" on the old node,
# comes back as 999 where the node's own "postgres" is 999, and the container's 70 cannot read its data directory.
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

debian bookworm tar=1.34+dfsg-1.2+deb12u1 libarchive-tools=3.6.2-1+deb12u4 borgbackup=1.2.4-1 python3-msgpack=1.0.3-2+b1 \
    python3-packaging=23.0-1 libxxhash0=0.8.1-1 restic=0.14.0-1+b5
export RESTIC_PASSWORD=secret RESTIC_REPOSITORY=$lab/restic.repo BORG_REPO=$lab/borg.repo
export BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu
cat >node <<'END'
# The node's users: orders is number $1.
for file in passwd group; do cp /etc/$file "$file-$1"; done
echo "orders:x:$1:$1::/:/bin/sh" >>"passwd-$1"
echo "orders:x:$1:" >>"group-$1"
for file in passwd group; do mount --bind "$file-$1" /etc/$file; done
borg() { PYTHONPATH=$lab/root/usr/lib/python3/dist-packages /usr/bin/python3 "$lab/root/usr/bin/borg" "$@"; }
restored() { echo "$1: $(find out -name table -printf %U)"; rm -rf out; mkdir out; }
END
cat >save <<'END'
. ./node 70
mkdir data
touch data/table
chown 70:70 data/table
root/bin/tar cf tar.tar data
root/usr/bin/bsdtar cf bsdtar.tar data
root/usr/bin/restic --quiet init && root/usr/bin/restic --quiet backup data
borg init --encryption none && borg create ::monday data
END
cat >restore <<'END'
. ./node 999
mkdir out
root/bin/tar xf tar.tar -C out; restored tar
root/usr/bin/bsdtar xf bsdtar.tar -C out; restored bsdtar
(cd out && borg extract ::monday); restored borg
root/usr/bin/restic --quiet restore latest --target out >said; restored restic
END
export lab
unshare --mount bash save >said 2>&1 || { cat said >&2; exit 2; }

seen=$(unshare --mount bash restore)
stated="tar: 999
bsdtar: 999
borg: 999
restic: 70"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
