#!/usr/bin/env bash
# cloud-init 25.1.4 (Debian 13), e2fsprogs 1.47.0 and xfsprogs 6.1.0 (Debian 12). Needs root and a loop device.
#
# Expected: fs_setup with `overwrite: false` makes a filesystem where there is none, and leaves one that is there alone. The
# manual says of the option: "If true, overwrite any existing filesystem".
# Seen: with the number of a partition it keeps a filesystem of the same label and type alone. One without a label, of
# another label, or XFS in the place of ext4, is formatted, without a warning.
# Why it matters: the module runs again for each new instance. A data disk that was labelled by hand, or was made before the
# label came into the config, is empty after the machine is replaced.
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

debian bookworm e2fsprogs=1.47.0-2+b2 xfsprogs=6.1.0-1 liburcu8=0.13.2-1 libinih1=55-1
rm -f ./*.deb
debian trixie cloud-init=25.1.4-1+deb13u1
python3 -m venv venv
venv/bin/pip --quiet install PyYAML==6.0.4 requests==2.34.2 jinja2==3.1.6 configobj==5.0.9 jsonschema==4.26.0 \
    jsonpatch==1.48 oauthlib==4.0.1 || exit 2
export PATH=$lab/root/sbin:$PATH
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu
cat >setup.py <<'PYTHON'
import sys
from types import SimpleNamespace
sys.path.insert(0, "root/usr/lib/python3/dist-packages")
import yaml
from cloudinit.config import cc_disk_setup
with open("user-data") as file:
    config = yaml.safe_load(file)
cc_disk_setup.handle("disk_setup", config, SimpleNamespace(device_name_to_device=lambda name: None), [])
PYTHON
# "disk" is the disk, and "disk1" its first partition.
true >disk
cat >user-data <<'END'
#cloud-config
fs_setup:
  - {label: data, filesystem: ext4, device: disk, partition: 1, overwrite: false}
END
try() { # Runs the module on what COMMAND... makes of the partition.
    local device before
    rm -f image
    truncate -s 320M image
    "$@" image >mkfs.log 2>&1
    device=$(losetup --find --show image)
    ln -sfn "$device" disk1
    before=$(blkid -c /dev/null -s UUID -o value "$device")
    venv/bin/python setup.py >setup.log 2>&1 || cat setup.log
    [ "$before" = "$(blkid -c /dev/null -s UUID -o value "$device")" ] && echo "kept" || echo "formatted"
    losetup --detach "$device"
}

seen=$(
    echo "ext4, label data: $(try mkfs.ext4 -q -L data)"
    echo "ext4, label pgdata: $(try mkfs.ext4 -q -L pgdata)"
    echo "ext4, no label: $(try mkfs.ext4 -q)"
    echo "XFS, label data: $(try mkfs.xfs -q -L data)"
)
stated="ext4, label data: kept
ext4, label pgdata: formatted
ext4, no label: formatted
XFS, label data: formatted"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
