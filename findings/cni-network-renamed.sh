#!/usr/bin/env bash
# host-local of containernetworking-plugins 1.1.1 (Debian 12), the plugin that gives addresses to containers.
#
# Expected: an address of a node's range that a running container has is not given to another one; the plugin keeps the
# addresses that are in use in one directory of the node.
# Seen: it keeps them per name of the network. Under a new name for the same range it starts from the first address again.
# The node then has the address of an older container twice, and at that container's end its own file stays.
# Why it matters: a rename, as at the change of a network plugin or by a template with a version in the name, takes the
# addresses of running members away, without an error. Two networks of one range collide in the same way.
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

debian bookworm containernetworking-plugins=1.1.1+ds1-3+b5
plugin() { # Runs COMMAND for CONTAINER in the network NAME.
    cat >network <<END
{"cniVersion": "1.0.0", "name": "$3", "type": "bridge",
 "ipam": {"type": "host-local", "dataDir": "$lab/addresses", "ranges": [[{"subnet": "10.1.0.0/24"}]]}}
END
    CNI_COMMAND=$1 CNI_CONTAINERID=$2 CNI_NETNS=/run/netns/$2 CNI_IFNAME=eth0 CNI_PATH=$lab root/usr/lib/cni/host-local <network |
        sed -nE 's/.*"address": "(.*)".*/\1/p'
}

seen=$(
    echo "db-0 in pods: $(plugin ADD db-0 pods)"
    echo "db-1 in pods: $(plugin ADD db-1 pods)"
    echo "web-0 in pods-v2: $(plugin ADD web-0 pods-v2)"
    plugin DEL db-0 pods-v2
    echo "held after the end of db-0: $(find addresses -name "10.*" -printf "%P\n" | sort | paste -sd" ")"
)
stated="db-0 in pods: 10.1.0.2/24
db-1 in pods: 10.1.0.3/24
web-0 in pods-v2: 10.1.0.2/24
held after the end of db-0: pods-v2/10.1.0.2 pods/10.1.0.2 pods/10.1.0.3"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
