#!/usr/bin/env bash
# mount and findmnt of util-linux 2.38.1, systemd-fstab-generator of systemd 252 (Debian 12).
#
# Expected: with two lines for one mount point, all read fstab alike: the last line wins, or it is an error.
# Seen: systemd takes the first line at boot, says that the second one is a duplicate, and goes on. `mount -a`
# mounts both, so that the last line is what a service sees. `findmnt --verify` warns and exits 0.
# Why it matters: a new disk that is added below the old line is right after `mount -a`; at the next boot the
# service is on the old disk and goes on from old data.
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

debian bookworm mount=2.38.1-5+deb12u3 util-linux=2.38.1-5+deb12u3 libmount1=2.38.1-5+deb12u3 \
    systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2
mkdir old new data out
touch old/old new/new
printf '%s %s none bind 0 0\n' "$lab/old" "$lab/data" "$lab/new" "$lab/data" >fstab
LD_LIBRARY_PATH=$(dirname "$(find "$lab/root" -name 'libsystemd-shared*')"):$(dirname "$(find "$lab/root" -name 'libmount.so.1')")
export LD_LIBRARY_PATH

seen=$(
    # With status 1: it says that there is a duplicate.
    SYSTEMD_FSTAB=$lab/fstab "$(find root -name systemd-fstab-generator -type f)" out out out 2>said || true
    echo "systemd: $(grep -h ^What out/*data.mount | sed 's|.*/||')"
    echo "mount -a: $(unshare --mount --map-root-user sh -c 'root/bin/mount -a -T fstab && ls data')"
    root/bin/findmnt --verify --tab-file fstab >said 2>&1
    echo "findmnt, exit $?:$(grep "more than once" said)"
)
stated="systemd: old
mount -a: new
findmnt, exit 0:   [W] target specified more than once"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
