#!/usr/bin/env bash
# Lock wrappers of Debian 12: flock (util-linux 2.38.1), setlock (daemontools 0.76), chpst -L (runit
# 2.1.2), s6-setlock (s6 2.11.3.2), with-lock-ex (chiark-utils-bin 7.0.0), lckdo (moreutils 0.67).
#
# Expected: tools that run a command under a lock on a file exclude each other on one file; above all
# setlock and its successor s6-setlock, which have the same options.
# Seen: there are two camps that do not see each other. flock, setlock and chpst take flock(2) locks;
# s6-setlock, with-lock-ex and lckdo take fcntl(2) locks. Across the camps both commands run.
# Why it matters: a guard in the unit and another in the image may both "hold" the lock of one data
# directory.
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

debian bookworm util-linux=2.38.1-5+deb12u3 daemontools=1:0.76-8.1 runit=2.1.2-54 \
    s6=2.11.3.2-1 libs6-2.11=2.11.3.2-1 libexecline2.9=2.9.3.0-1 libskarnet2.13=2.13.1.1-1 \
    chiark-utils-bin=7.0.0 moreutils=0.67-1
export PATH=$lab/root/usr/bin:$PATH LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu
tools=("flock -n lock" "setlock -n lock" "chpst -L lock" "s6-setlock -n lock" "with-lock-ex -f lock" "lckdo lock")
touch lock

# A row for each holder: + where the tool of the column runs its command all the same.
seen=$(
    for holder in "${tools[@]}"; do
        rm -f held
        $holder sh -c 'touch held; while [ -e held ]; do sleep 0.1; done' &
        while [ ! -e held ]; do sleep 0.1; done
        row=
        for tool in "${tools[@]}"; do
            if $tool true 2>/dev/null; then row+=" +"; else row+=" -"; fi
        done
        rm held
        wait
        printf "%-12s%s\n" "${holder%% *}" "$row"
    done
)
stated="flock        - - - + + +
setlock      - - - + + +
chpst        - - - + + +
s6-setlock   + + + - - -
with-lock-ex + + + - - -
lckdo        + + + - - -"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
