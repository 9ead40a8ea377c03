#!/usr/bin/env bash
# Docker CLI 26.1.5 as Debian 13 has it, Docker Compose 2.26.1; Docker CLI 28.2.2 does as Compose.
#
# Expected: with a YAML merge key, a mapping's own value wins, wherever it stands (YAML merge key type).
# Seen: in this `docker stack` an own value that stands before "<<" is overwritten by the merged one; one
# that stands after it wins. Compose keeps the own value in both places.
# Why it matters: keys that a formatter sorts, or that were written first, take the default: here two
# members of one cluster would have one name.
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

debian trixie docker-cli=26.1.5+dfsg1-9+deb13u1+b1 docker-compose=2.26.1-4
cat >stack.yml <<'END'
x-member: &member {NAME: etcd-0, TOKEN: t}
services:
  after: {image: "etcd:3", environment: {<<: *member, NAME: etcd-1}}
  before: {image: "etcd:3", environment: {NAME: etcd-2, <<: *member}}
END
names() { grep -oE "^  (after|before)|^      NAME: .*" | paste -sd" " | tr -s " "; }

seen=$(
    echo "stack:  $(root/usr/bin/docker stack config -c stack.yml | names)"
    echo "compose:$(root/usr/libexec/docker/cli-plugins/docker-compose -p p -f stack.yml config | names)"
)
stated="stack:   after NAME: etcd-1 before NAME: etcd-0
compose: after NAME: etcd-1 before NAME: etcd-2"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
