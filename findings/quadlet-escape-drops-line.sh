#!/usr/bin/env bash
# Quadlet of podman 5.4.2, `quadlet -dryrun` (Debian 13).
#
# Expected: a backslash escape that is not known is taken as it is, as systemd takes it, or is an
# error, as an unknown key is.
# Seen: the whole line is dropped, exit 0, without a word. The container has the image's own command, and
# of two variables on one Environment= line the good one is gone, too.
# Why it matters: a lock or a data directory that the command names is not there, and the unit starts.
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

debian trixie podman=5.4.2+ds1-2+b2
mkdir units
cat >units/db.container <<'END'
[Container]
Image=docker.io/library/postgres:17
Exec=postgres -c log_line_prefix='\%m\ ' -D /srv/db
Environment=PGDATA=/srv/db NOTE=a\.b
END

seen=$(
    QUADLET_UNIT_DIRS=$lab/units root/usr/libexec/podman/quadlet -dryrun >unit 2>said
    echo "exit $?, $(grep -ciE "escape|Exec|Environment|warn" said || true) lines on it"
    grep -o "podman run.*" unit | grep -o -- "-d.*"
)
stated="exit 0, 0 lines on it
-d docker.io/library/postgres:17"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
