#!/usr/bin/env bash
# systemd-fstab-generator of systemd 252 (Debian 12).
#
# Expected: `nofail,x-systemd.required-by=db.service` in fstab is a disk that the machine boots without and
# the database waits for.
# Seen: db.service gets Requires= on the mount and no order: neither unit has After= or Before= for the
# other, and with "nofail" the mount is not before local-fs.target either. Both start at the same time.
# `x-systemd.before=db.service` gives the order, but no requirement; both options are needed.
# Why it matters: at boot the database finds the empty directory below the mount point, and makes a new
# data directory there, or the mount then covers files that it has open.
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

debian bookworm systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2
cat >fstab <<'END'
/dev/disk/by-label/a /srv/a ext4 nofail,x-systemd.required-by=db.service 0 0
/dev/disk/by-label/b /srv/b ext4 nofail,x-systemd.before=db.service 0 0
/dev/disk/by-label/c /srv/c ext4 nofail,x-systemd.required-by=db.service,x-systemd.before=db.service 0 0
END
mkdir out
LD_LIBRARY_PATH=$(dirname "$(find "$lab/root" -name 'libsystemd-shared*')") SYSTEMD_FSTAB=$lab/fstab \
    "$(find root -name systemd-fstab-generator -type f)" out out out

seen=$(
    for disk in a b c; do
        echo "$disk: $(cd out && find . -path "*requires/srv-$disk.mount" | cut -c3-) |" \
            "$(grep -E "^(Before|After)=(db|local)" "out/srv-$disk.mount" || echo no order)"
    done
)
stated="a: db.service.requires/srv-a.mount | no order
b:  | Before=db.service
c: db.service.requires/srv-c.mount | Before=db.service"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
