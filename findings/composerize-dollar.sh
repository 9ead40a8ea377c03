#!/usr/bin/env bash
# composerize 1.7.6 (npm), Docker Compose 2.26.1 (Debian 13).
#
# Expected: `docker run` with single quotes has a "$" as it stands; in the Compose file that composerize makes of it the "$" is
# written "$$", since Compose puts variables in.
# Seen: composerize leaves the "$" as it is. Compose puts the variables of the person who starts it there, or nothing, and
# makes one "$" of two. A command that was to print the container's HOME has the HOME of that person.
# Why it matters: the database gets another password, with a warning at most; a path of the container becomes one of the node.
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

debian trixie docker-compose=2.26.1-4
npm install --silent --no-fund composerize@1.7.6 || exit 2

# "config" prints each "$" of a value twice, so that its output is a Compose file again.
seen=$(
    for option in "-e 'PASSWORD=a\$b' postgres:17" "-e 'PASSWORD=a\$\$b' postgres:17" "postgres:17 sh -c 'ls \$HOME'"; do
        node_modules/.bin/composerize "docker run $option" >compose.yml
        echo "$option: $(HOME=/home/op root/usr/libexec/docker/cli-plugins/docker-compose -p p config 2>log |
            grep -E "PASSWORD|- ls" | sed -E 's/^ *//; s/\$\$/$/g')"
    done
)
stated="-e 'PASSWORD=a\$b' postgres:17: PASSWORD: a
-e 'PASSWORD=a\$\$b' postgres:17: PASSWORD: a\$b
postgres:17 sh -c 'ls \$HOME': - ls /home/op"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
