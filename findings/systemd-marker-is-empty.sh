#!/usr/bin/env bash
# systemd 252 (Debian 12), `systemd-analyze condition`.
#
# Expected: ConditionDirectoryNotEmpty= holds for a mount point with a marker such as ".mounted" in it, which
# tells the disk from the empty directory below; `ls -A` and `rmdir` call it not empty.
# Seen: the condition fails. systemd does not count hidden files, names that end in "~" or ".bak" and the
# like, and lost+found; the last is welcome.
# Why it matters: the unit is skipped, without a failed state, on every start, though the disk is there; the
# Assert form fails. A marker needs a plain name.
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
mkdir -p dotted/.data plain tilde fresh/lost+found
touch dotted/.mounted plain/mounted tilde/mounted~

seen=$(
    LD_LIBRARY_PATH=$(dirname "$(find "$lab/root" -name 'libsystemd-shared*')")
    export LD_LIBRARY_PATH
    for dir in plain dotted tilde fresh; do
        echo "$dir: $(root/usr/bin/systemd-analyze condition "ConditionDirectoryNotEmpty=$lab/$dir" 2>&1 | tail -1)"
    done
)
stated="plain: Conditions succeeded.
dotted: Conditions failed.
tilde: Conditions failed.
fresh: Conditions failed."
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
