#!/usr/bin/env bash
# bsdtar 3.6.2, BusyBox 1.35.0, toybox 0.8.9, GNU cpio 2.13 and GNU tar 1.34 of Debian 12; tar 7.5.2 and tar-fs 3.1.1 (npm).
#
# Expected: a tar file that is made without any option can be unpacked by every tar.
# Seen: bsdtar looks for holes by itself (GNU tar does with -S alone) and writes a file that has some in GNU's form 1.0.
# BusyBox, toybox and both npm libraries make of data.mdb a file "GNUSparseFile.0/data.mdb" of 8704 bytes, its pieces
# behind a table, with status 0. With the old form, of `tar -S`, BusyBox and tar-fs fail, cpio drops the holes, and the other npm
# library leaves the file out, both with status 0.
# Why it matters: databases with holes (LMDB, preallocated logs) are packed on FreeBSD or macOS, whose tar this is, and
# unpacked by an init container of Alpine: the service finds no data.mdb and makes an empty one.
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

debian bookworm libarchive-tools=3.6.2-1+deb12u4 busybox-static=1:1.35.0-4+deb12u1+b1 toybox=0.8.9+dfsg-1 \
    cpio=2.13+dfsg-7.1 tar=1.34+dfsg-1.2+deb12u1
npm install --silent tar@7.5.2 tar-fs@3.1.1 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }
mkdir data
python3 - <<'END'
with open("data/data.mdb", "wb") as file:
    file.write(b"A" * 4096)
    file.seek(8 << 20)
    file.write(b"B" * 4096)
    file.truncate(16 << 20)
END
root/usr/bin/bsdtar -cf bsdtar.tar data
root/bin/tar -cSf gnu.tar data
unpack() { # NAME COMMAND: runs COMMAND in ./out, and says which file is there.
    local name=$1
    shift
    rm -rf out && mkdir out
    (cd out && "$@" >../said 2>&1) && status="done" || status=fails
    echo "    $name: $status$(find out -type f -printf ', %P of %s bytes')$(
        cmp -s data/data.mdb out/data/data.mdb && echo ", right"
    )"
}

seen=$(
    for archive in bsdtar gnu; do
        echo "$archive.tar"
        file=$lab/$archive.tar
        unpack bsdtar "$lab/root/usr/bin/bsdtar" -xf "$file"
        unpack "GNU tar" "$lab/root/bin/tar" -xf "$file"
        unpack Python python3 -c "import tarfile; tarfile.open('$file').extractall()"
        unpack BusyBox "$lab/root/bin/busybox" tar -xf "$file"
        unpack toybox "$lab/root/bin/toybox" tar -xf "$file"
        unpack "tar of npm" node -e "require('tar').x({file: '$file', sync: true})"
        unpack tar-fs node -e "fs.createReadStream('$file').pipe(require('tar-fs').extract('.'))"
    done
    unpack cpio sh -c "'$lab/root/bin/cpio' -idm <'$lab/gnu.tar'"
)
stated="bsdtar.tar
    bsdtar: done, data/data.mdb of 16777216 bytes, right
    GNU tar: done, data/data.mdb of 16777216 bytes, right
    Python: done, data/data.mdb of 16777216 bytes, right
    BusyBox: done, data/GNUSparseFile.0/data.mdb of 8704 bytes
    toybox: done, data/GNUSparseFile.0/data.mdb of 8704 bytes
    tar of npm: done, data/GNUSparseFile.0/data.mdb of 8704 bytes
    tar-fs: done, data/GNUSparseFile.0/data.mdb of 8704 bytes
gnu.tar
    bsdtar: done, data/data.mdb of 16777216 bytes, right
    GNU tar: done, data/data.mdb of 16777216 bytes, right
    Python: done, data/data.mdb of 16777216 bytes, right
    BusyBox: fails
    toybox: done, data/data.mdb of 16777216 bytes, right
    tar of npm: done
    tar-fs: fails
    cpio: done, data/data.mdb of 8192 bytes"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
