#!/usr/bin/env bash
# Five programs called envsubst or envsub: gettext 0.21 (Debian 12), github.com/a8m/envsubst 1.4.3 and github.com/drone/envsubst
# 1.0.3 (Go modules), envsubst 0.1.5 (PyPI), envsub 4.1.0 (npm).
#
# Expected: one template gives one file, whichever envsubst the image has; only defaults, "${A:-b}", are known to fewer.
# Seen: no two agree on seven lines. gettext leaves a default where it is. a8m and drone print "$$" as "$"; drone and envsub
# replace no variable without braces. "$1" is left alone by three, and is nothing to a8m and PyPI. "${A:+x}" is x to a8m, the
# value of A to drone, and text to the others.
# Why it matters: a config is made by the entrypoint of an image. With another base image a password with "$$" has another
# value, and a regular expression loses its groups.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

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

debian bookworm gettext-base=0.21-12
python3 -m venv venv
venv/bin/pip --quiet install envsubst==0.1.5 || exit 2
npm install --silent --no-fund envsub@4.1.0 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }
export GOFLAGS=-mod=mod GOBIN=$lab
go install github.com/a8m/envsubst/cmd/envsubst@v1.4.3 >go.log 2>&1 && mv envsubst a8m &&
    go install github.com/drone/envsubst/cmd/envsubst@v1.0.3 >go.log 2>&1 && mv envsubst drone || { cat go.log >&2; exit 2; }
export A=alpha

seen=$(
    for text in '$A' '${A}' '${NONE:-b}' '${A:+x}' '$$A' '$1' '[$NONE]'; do
        printf '%s\n' "$text" >template
        echo "$text: gettext $(root/usr/bin/envsubst <template), a8m $(./a8m <template), drone $(./drone <template)," \
            "PyPI $(venv/bin/envsubst <template), npm $(node_modules/.bin/envsub template out >log 2>&1 && cat out)"
    done
)
stated='$A: gettext alpha, a8m alpha, drone $A, PyPI alpha, npm $A
${A}: gettext alpha, a8m alpha, drone alpha, PyPI alpha, npm alpha
${NONE:-b}: gettext ${NONE:-b}, a8m b, drone b, PyPI b, npm b
${A:+x}: gettext ${A:+x}, a8m x, drone alpha, PyPI ${A:+x}, npm ${A:+x}
$$A: gettext $alpha, a8m $A, drone $A, PyPI $alpha, npm $$A
$1: gettext $1, a8m , drone $1, PyPI , npm $1
[$NONE]: gettext [], a8m [], drone [$NONE], PyPI [], npm [$NONE]'
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
