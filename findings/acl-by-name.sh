#!/usr/bin/env bash
# tar 1.34, bsdtar 3.6.2, acl 2.3.1, rsync 3.2.7, Borg 1.2.4, restic 0.14.0 of Debian 12. Needs root.
#
# Expected: with --numeric-owner tar keeps the numbers of users, those of an ACL too, and no name of the other node counts.
# Seen: GNU tar writes an ACL with names all the same. On a node where "orders" is 999 instead of 70 the file's owner is
# 70, and its ACL is for 999. On a node without "orders" the ACL is left out, with status 0, and the mask of the ACL
# becomes the mode of the group: it was r--, and is rw-. bsdtar, rsync, Borg and restic keep the number.
# Why it matters: --numeric-owner is the option for volumes that move between nodes and images. After the restore the agent
# that reads the data by its ACL cannot read it.
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

debian bookworm tar=1.34+dfsg-1.2+deb12u1 libarchive-tools=3.6.2-1+deb12u4 acl=2.3.1-3 libacl1=2.3.1-3 \
    rsync=3.2.7-1+deb12u6 libpopt0=1.19+dfsg-1 borgbackup=1.2.4-1 python3-msgpack=1.0.3-2+b1 \
    python3-packaging=23.0-1 libxxhash0=0.8.1-1 restic=0.14.0-1+b5
export RESTIC_PASSWORD=secret RESTIC_REPOSITORY=$lab/restic.repo BORG_REPO=$lab/borg.repo
export BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes
export LD_LIBRARY_PATH=$lab/root/lib/x86_64-linux-gnu:$lab/root/usr/lib/x86_64-linux-gnu
export PATH=$lab/root/bin:$lab/root/usr/bin:$PATH
cat >node <<'END'
# The node's users: orders is number $1, or nobody.
for file in passwd group; do grep -v "^orders:" /etc/$file >"$file-$1" || true; done
if [ "$1" != none ]; then
    echo "orders:x:$1:$1::/:/bin/sh" >>"passwd-$1"
    echo "orders:x:$1:" >>"group-$1"
fi
for file in passwd group; do mount --bind "$file-$1" /etc/$file; done
borg() { PYTHONPATH=$lab/root/usr/lib/python3/dist-packages /usr/bin/python3 "$lab/root/usr/bin/borg" "$@"; }
restore() { # NAME COMMAND: restores with COMMAND into ./out, and prints owner and ACL.
    local name=$1
    shift
    rm -rf out && mkdir out
    (cd out && "$@" >../said 2>&1) && status="done" || status=fails
    file=$(find out -name table)
    echo "    $name: $status, owner $(stat -c %u "$file")$(
        getfacl --numeric --omit-header --absolute-names "$file" | grep -E "^user:[0-9]|^group::" | sed 's/^/ /' | tr -d '\n')"
}
END
cat >save <<'END'
. ./node 70
mkdir data
touch data/table
chmod 640 data/table
chown 70:0 data/table
setfacl -m u:70:rw,g::r data/table
tar --acls --numeric-owner -cf tar.tar data
bsdtar --acls --numeric-owner -cf bsdtar.tar data
restic --quiet init && restic --quiet backup data
borg init --encryption none && borg create --numeric-ids ::monday data
END
cat >restore <<'END'
. ./node "$1"
restore tar tar --acls --numeric-owner -xpf ../tar.tar
restore bsdtar bsdtar --acls --numeric-owner -xpf ../bsdtar.tar
restore rsync rsync -aA --numeric-ids ../data .
restore borg borg extract --numeric-ids ::monday
restore restic restic restore latest --target .
END
export lab
unshare --mount bash save >said 2>&1 || { cat said >&2; exit 2; }

seen=$(
    for number in 70 999 none; do
        echo "orders is $number"
        unshare --mount bash restore $number
    done
)
stated="orders is 70
    tar: done, owner 70 user:70:rw- group::r--
    bsdtar: done, owner 70 user:70:rw- group::r--
    rsync: done, owner 70 user:70:rw- group::r--
    borg: done, owner 70 user:70:rw- group::r--
    restic: done, owner 70 user:70:rw- group::r--
orders is 999
    tar: done, owner 70 user:999:rw- group::r--
    bsdtar: done, owner 70 user:70:rw- group::r--
    rsync: done, owner 70 user:70:rw- group::r--
    borg: done, owner 70 user:70:rw- group::r--
    restic: done, owner 70 user:70:rw- group::r--
orders is none
    tar: done, owner 70 group::rw-
    bsdtar: done, owner 70 user:70:rw- group::r--
    rsync: done, owner 70 user:70:rw- group::r--
    borg: done, owner 70 user:70:rw- group::r--
    restic: done, owner 70 user:70:rw- group::r--"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
