#!/usr/bin/env bash
# Quadlet of podman 5.4.2 (Debian 13).
#
# Expected: keys that may be given more than once take two values on one line all the same way, as in a unit of systemd.
# Quotes keep a value with a blank together.
# Seen: one half of the keys cuts a line at blanks, the other half passes the line on as one argument. There a quote is a part of
# the value: Volume="/srv/my data:/data" mounts a path that starts with a quote, and without quotes the line is right. No message.
# Also the dash of EnvironmentFile=-/etc/db.env, a file that may be absent, becomes a directory "-" beside the unit.
# Why it matters: a line moved from a [Service] section starts no container, or one without a port, a host name or a limit.
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
try() { # The options that podman gets for LINE.
    printf '[Container]\nImage=docker.io/library/postgres:17\n%s\n' "$1" >units/db.container
    echo "$1: $(QUADLET_UNIT_DIRS=$lab/units root/usr/libexec/podman/quadlet -dryrun 2>/dev/null |
        sed -nE 's|^ExecStart=.*--cgroups=split (.*) docker.io/library/postgres:17|\1|p' | sed "s|$lab/units|UNITS|" |
        grep -oE -e '--(publish|add-host|ulimit|cap-add|sysctl|env|label|env-file|dns|annotation|group-add|device) .*|-v .*' |
        sed -E 's/ (--sdnotify=conmon|-d)\b//g')"
}

seen=$(
    for line in 'PublishPort=5432 5433' 'AddHost=a:192.0.2.1 b:192.0.2.2' 'Ulimit=nofile=9 core=0' 'GroupAdd=70 80' 'DNS=192.0.2.1 192.0.2.2' \
        'AddCapability=NET_RAW SYS_PTRACE' 'Sysctl=net.a=1 net.b=2' 'Environment=A=1 B=2' 'Label=a=1 b=2' 'EnvironmentFile=/etc/a /etc/b' \
        'Environment="A=1 2"' 'Volume=/srv/my data:/data' 'Volume="/srv/my data:/data"' 'EnvironmentFile=-/etc/db.env'; do
        try "$line"
    done
)
stated='PublishPort=5432 5433: --publish "5432 5433"
AddHost=a:192.0.2.1 b:192.0.2.2: --add-host "a:192.0.2.1 b:192.0.2.2"
Ulimit=nofile=9 core=0: --ulimit "nofile=9 core=0"
GroupAdd=70 80: --group-add "70 80"
DNS=192.0.2.1 192.0.2.2: --dns "192.0.2.1 192.0.2.2"
AddCapability=NET_RAW SYS_PTRACE: --cap-add net_raw --cap-add sys_ptrace
Sysctl=net.a=1 net.b=2: --sysctl net.a=1 --sysctl net.b=2
Environment=A=1 B=2: --env A=1 --env B=2
Label=a=1 b=2: --label a=1 --label b=2
EnvironmentFile=/etc/a /etc/b: --env-file /etc/a --env-file /etc/b
Environment="A=1 2": --env "A=1 2"
Volume=/srv/my data:/data: -v "/srv/my data:/data"
Volume="/srv/my data:/data": -v "\"/srv/my data:/data\""
EnvironmentFile=-/etc/db.env: --env-file UNITS/-/etc/db.env'
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
