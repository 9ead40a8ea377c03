#!/usr/bin/env bash
# systemd-tmpfiles, systemd-sysusers and the generator of environment.d, of systemd 252 (Debian 12).
#
# Expected: of two files in a .d directory the later name wins, as in environment.d, sysctl.d and in drop-ins of units,
# so that "zz-local.conf" changes what the package's "db.conf" says.
# Seen: in tmpfiles.d and sysusers.d the first name wins. The line in zz-local.conf is ignored, with a message and status
# 0; the line in 00-local.conf holds. /etc does not come before /usr/lib here: only names count.
# Why it matters: the data directory keeps the owner and the mode that somebody meant to change.
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
LD_LIBRARY_PATH=$(dirname "$(find "$lab/root" -name 'libsystemd-shared*')")
export LD_LIBRARY_PATH
generator=$(find root -name 30-systemd-environment-d-generator)
try() { # With a package's db.conf, and a file of this NAME in /etc.
    rm -rf node
    mkdir -p node/{etc,usr/lib}/{tmpfiles.d,sysusers.d} node/environment.d
    echo "d /srv/db 0700 - - -" >node/usr/lib/tmpfiles.d/db.conf
    echo "d /srv/db 0750 - - -" >"node/etc/tmpfiles.d/$1"
    echo "u db 70 - /srv/db" >node/usr/lib/sysusers.d/db.conf
    echo "u db 71 - /mnt/db" >"node/etc/sysusers.d/$1"
    echo "DB=/srv/db" >node/environment.d/db.conf
    echo "DB=/mnt/db" >"node/environment.d/$1"
    root/bin/systemd-tmpfiles --root "$lab/node" --create >said 2>&1 && status="done" || status=failed
    echo "$1: tmpfiles.d $status, $(stat -c %a node/srv/db)"
    root/bin/systemd-sysusers --root "$lab/node" >said 2>&1 && status="done" || status=failed
    echo "$1: sysusers.d $status, $(cut -d: -f1,3,6 node/etc/passwd)"
    echo "$1: environment.d $(XDG_CONFIG_HOME=$lab/node "$generator" | grep ^DB=)"
}

seen=$(
    try zz-local.conf
    try 00-local.conf
)
stated="zz-local.conf: tmpfiles.d done, 700
zz-local.conf: sysusers.d done, db:70:/srv/db
zz-local.conf: environment.d DB=/mnt/db
00-local.conf: tmpfiles.d done, 750
00-local.conf: sysusers.d done, db:71:/mnt/db
00-local.conf: environment.d DB=/srv/db"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
