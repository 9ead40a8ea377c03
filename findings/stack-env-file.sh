#!/usr/bin/env bash
# Docker CLI 26.1.5 (Debian 13), `docker stack config`; 28.2.2 does the same. Docker Compose 2.26.1.
#
# Expected: `env_file` of a compose file means the same in `docker stack` and in `docker compose`; at
# most the quotes differ.
# Seen: four of five values differ. `docker stack` keeps quotes, trailing comments and "$". Compose
# removes quotes and comments, and replaces variables by those of the shell.
# Why it matters: under Swarm the password is not the one that was set up under Compose. The database
# keeps the password with which its data directory was created, and refuses the other.
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
cat >db.env <<'END'
PLAIN=secret
QUOTED="secret"
NOTED=secret # since May
DOLLAR=sec$RET
JOINED=${PLAIN}-2
END
cat >stack.yml <<'END'
services:
  db: {image: "postgres:17", env_file: [db.env]}
END
export RET=ond

seen=$(
    root/usr/bin/docker stack config -c stack.yml >stack.out
    root/usr/libexec/docker/cli-plugins/docker-compose -p p -f stack.yml config >compose.out
    for key in PLAIN QUOTED NOTED DOLLAR JOINED; do
        echo "$(grep -o "$key: .*" stack.out) | $(grep -o "$key: .*" compose.out)"
    done
)
stated=$(cat <<'END'
PLAIN: secret | PLAIN: secret
QUOTED: '"secret"' | QUOTED: secret
NOTED: 'secret # since May' | NOTED: secret
DOLLAR: sec$RET | DOLLAR: second
JOINED: ${PLAIN}-2 | JOINED: secret-2
END
)
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
