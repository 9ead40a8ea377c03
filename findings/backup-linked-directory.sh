#!/usr/bin/env bash
# GNU tar 1.34, bsdtar 3.6.2, restic 0.14.0, Borg 1.2.4, duplicity 0.8.22, rsync 3.2.7, rclone 1.60.1 of Debian 12.
#
# Expected: the data directory has moved to a larger disk, with a symbolic link in its old place. A backup of the old path
# has the data, at least with a slash at the end, which is a directory to `ls`, `cp` and rsync.
# Seen: tar, bsdtar, restic, Borg and duplicity save the link and nothing else, with the slash too and with status 0; the
# last three do so even for "data/.". Only rsync and rclone take the slash as a directory, and rclone the bare path too.
# Why it matters: the backup goes on to succeed each night, and there is nothing in it.
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

debian bookworm tar=1.34+dfsg-1.2+deb12u1 libarchive-tools=3.6.2-1+deb12u4 restic=0.14.0-1+b5 borgbackup=1.2.4-1 \
    python3-msgpack=1.0.3-2+b1 python3-packaging=23.0-1 libxxhash0=0.8.1-1 rsync=3.2.7-1+deb12u6 libpopt0=1.19+dfsg-1 \
    rclone=1.60.1+dfsg-2+b5 duplicity=0.8.22-1+b3 python3-fasteners=0.17.3-2 python3-future=0.18.2-6 \
    librsync2=2.3.2-1+b1 libb2-1=0.98.1-1.1 libgomp1=12.2.0-14+deb12u1
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu RESTIC_PASSWORD=secret
export BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes
export PATH=$lab/root/bin:$lab/root/usr/bin:$PATH
python() { PYTHONPATH=$lab/root/usr/lib/python3/dist-packages /usr/bin/python3 "$@"; }
borg() { python "$lab/root/usr/bin/borg" "$@"; }
duplicity() { python "$lab/root/usr/bin/duplicity" --no-encryption "$@"; }
mkdir disk
echo orders >disk/table
ln -s disk data

# Backs up PATH and restores it, each tool into ./restored.
with_tar() { tar -cf file.tar "$1" && tar -xf file.tar -C restored; }
with_bsdtar() { bsdtar -cf file.tar "$1" && bsdtar -xf file.tar -C restored; }
with_restic() { restic -r repo init && restic -r repo backup "$1" && restic -r repo restore latest --target restored; }
with_borg() { borg init -e none repo && borg create repo::a "$1" && (cd restored && borg extract ../repo::a); }
with_duplicity() { duplicity "$1" "file://$lab/repo" && duplicity restore --force "file://$lab/repo" restored; }
with_rsync() { rsync -a "$1" restored/; }
with_rclone() { rclone copy "$1" restored; }

seen=$(
    for tool in tar bsdtar restic borg duplicity rsync rclone; do
        row=
        for path in data data/ data/.; do
            rm -rf restored repo .cache
            mkdir restored
            "with_$tool" $path >said 2>&1 || row+=" fails"
            if [ -n "$(find restored -name table)" ]; then row+=" data"
            elif [ -n "$(find restored -type l)" ]; then row+=" link"
            else row+=" nothing"; fi
        done
        printf "%-10s%s\n" $tool "$row"
    done
)
stated="tar        link link data
bsdtar     link link data
restic     link link link
borg       link link link
duplicity  link link link
rsync      link data data
rclone     data data data"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
