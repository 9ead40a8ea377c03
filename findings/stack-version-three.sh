#!/usr/bin/env bash
# Docker CLI 26.1.5 (Debian 13), docker stack config.
#
# Expected: the format "3" is "3.0", as a version without a minor is elsewhere.
# Seen: "3" is the newest format, 3.12 in the output, and takes every key; "3.0" and "3.1" refuse the long form of
# ports, 3.3 refuses the order of an update, and 3.7 still refuses max_replicas_per_node.
# Why it matters: `version: "3"` made more exact as "3.0", or a line copied from one file into another, breaks the
# deploy; and a tool that adds `mode: host` or `order: stop-first` to a file must look at its version first.
# shellcheck disable=SC2016
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

debian trixie docker-cli=26.1.5+dfsg1-9+deb13u1+b1

# Prints what the client says of a service with this line in a file of this version.
judge() { # VERSION LINE
    printf 'version: "%s"\nservices:\n  db:\n    image: postgres:17\n    %s\n' "$1" "$2" >stack.yml
    echo "$1: $(root/usr/bin/docker stack config -c stack.yml 2>&1 | grep -E "^version|must be|not allowed" | sed 's/services.db.//')"
}
seen=$(
    for version in 3 3.0 3.1 3.2; do judge "$version" 'ports: [{target: 5432, published: 5432, mode: host}]'; done
    for version in 3 3.3 3.4; do judge "$version" 'deploy: {update_config: {order: stop-first}}'; done
    for version in 3 3.7 3.8; do judge "$version" 'deploy: {placement: {max_replicas_per_node: 1}}'; done
)
stated='3: version: "3.12"
3.0: ports.0 must be a string or number
3.1: ports.0 must be a string or number
3.2: version: "3.2"
3: version: "3.12"
3.3: deploy.update_config Additional property order is not allowed
3.4: version: "3.4"
3: version: "3.12"
3.7: deploy.placement Additional property max_replicas_per_node is not allowed
3.8: version: "3.8"'
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
