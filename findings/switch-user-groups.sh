#!/usr/bin/env bash
# Tools that start a program as another user: gosu 1.14, setuidgid (daemontools 0.76), chpst (runit 2.1.2), s6-applyuidgid (s6
# 2.11.3.2), setpriv and runuser (util-linux 2.38.1), chroot (coreutils 9.1) of Debian 12. Needs root.
#
# Expected: the user "db", who is also in the group "tls" that may read the keys, has both groups and the directory of
# /etc/passwd as HOME, whichever tool an entrypoint uses.
# Seen: setuidgid and chpst take the group "tls" away, and so does setpriv as it is mostly written, with --clear-groups. HOME
# stays /root but for gosu and runuser. USER stays root but for runuser.
# Why it matters: another base image brings another tool, and the server cannot read its key, or its client looks for its
# password file in /root. Nothing in the image or in the user table has changed.
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

debian bookworm gosu=1.14-1+b10 daemontools=1:0.76-8.1 runit=2.1.2-54 s6=2.11.3.2-1 libs6-2.11=2.11.3.2-1 \
    libexecline2.9=2.9.3.0-1 libskarnet2.13=2.13.1.1-1 util-linux=2.38.1-5+deb12u3 coreutils=9.1-1
chmod 755 .
cp /etc/passwd /etc/group .
echo 'db:x:7070:7070::/srv/db:/bin/sh' >>passwd
printf 'db:x:7070:\ntls:x:8080:db\n' >>group
cat >inside <<'END'
mount --bind passwd /etc/passwd
mount --bind group /etc/group
PATH=$PWD/root/usr/sbin:$PWD/root/usr/bin:$PWD/root/sbin:$PWD/root/bin:$PATH
try() {
    echo "$*: $(HOME=/root USER=root "$@" /bin/sh -c 'echo "groups $(id -G), HOME $HOME, USER $USER"' 2>&1)"
}
try gosu db
try setuidgid db
try chpst -u db
try s6-envuidgid db s6-applyuidgid -Uz
try setpriv --reuid db --regid db --init-groups
try setpriv --reuid db --regid db --clear-groups
try runuser -u db --
try chroot --userspec db /
END

seen=$(LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu unshare --mount sh inside)
stated="gosu db: groups 7070 8080, HOME /srv/db, USER root
setuidgid db: groups 7070, HOME /root, USER root
chpst -u db: groups 7070, HOME /root, USER root
s6-envuidgid db s6-applyuidgid -Uz: groups 7070 8080, HOME /root, USER root
setpriv --reuid db --regid db --init-groups: groups 7070 8080, HOME /root, USER root
setpriv --reuid db --regid db --clear-groups: groups 7070, HOME /root, USER root
runuser -u db --: groups 7070 8080, HOME /srv/db, USER db
chroot --userspec db /: groups 7070 8080, HOME /root, USER root"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
