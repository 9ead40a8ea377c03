#!/usr/bin/env bash
# Debian 12: daemontools 1:0.76-8.1 `envdir`, runit 2.1.2-54 `chpst -e`, s6 2.11.3.2-1 `s6-envdir`.
# PyPI: envdir 1.0.1 `envdir`.
#
# Expected: the four tools read one directory of variables (a file for each, as a mounted Secret is) alike, because
# each names the `envdir` of daemontools as its model.
# Seen: a value with blanks at its end, one with a carriage return, and one of two lines come out differently. daemontools
# and runit keep the carriage return, s6 takes it away, also without being asked; PyPI's keeps the second line and
# the blanks. An empty file removes the variable in all four.
# Why it matters: an image that changes its supervisor gets another password from the same Secret, or half a key.
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

debian bookworm daemontools=1:0.76-8.1 runit=2.1.2-54 s6=2.11.3.2-1 libs6-2.11=2.11.3.2-1 \
    libskarnet2.13=2.13.1.1-1 libexecline2.9=2.9.3.0-1
libraries=$(find root -name 'lib*.so.*' -printf '%h\n' | sort -u | paste -sd:)
python3 -m venv venv
venv/bin/pip install --quiet envdir==1.0.1 || exit 2

mkdir secret
printf 'word \t\n' >secret/BLANKS
printf 'word\r\n' >secret/RETURN
printf 'one\ntwo\n' >secret/LINES
: >secret/EMPTY
export EMPTY=before
show='printf "blanks <%s> return <%s> lines <%s> empty <%s>" "$BLANKS" "$RETURN" "$LINES" "${EMPTY-none}"'
of() { # NAME COMMAND...
    local name=$1
    shift
    echo "$name: $("$@" secret sh -c "$show" | sed -e 's/\t/\\t/g; s/\r/\\r/g' | sed -z 's/\n/\\n/g')"
}

seen=$(
    of daemontools root/usr/bin/envdir
    of runit root/usr/bin/chpst -e
    of s6 env "LD_LIBRARY_PATH=$libraries" root/usr/bin/s6-envdir
    of PyPI venv/bin/envdir
)
stated='daemontools: blanks <word> return <word\r> lines <one> empty <none>
runit: blanks <word> return <word\r> lines <one> empty <none>
s6: blanks <word> return <word> lines <one> empty <none>
PyPI: blanks <word \t> return <word> lines <one\ntwo> empty <none>'
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
