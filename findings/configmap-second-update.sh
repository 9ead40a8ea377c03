#!/usr/bin/env bash
# inotify-tools 3.22.6.0 and entr 5.3 (Debian 12), watchfiles 1.3.0 and watchdog 7.1.0 (PyPI), fsnotify 1.9.0 (Go module),
# fs.watch and fs.watchFile of Node.js, on a directory that is updated as the kubelet updates a ConfigMap or a Secret:
# the file is a link to "..data/db.conf", and "..data" a link that is renamed over.
#
# Expected: one that watches the file sees each update, or none, since the old file is never written to. A test with one
# update tells which.
# Seen: inotifywait, fsnotify, watchfiles and fs.watch report the first update, when the old file is removed, and are deaf from
# then on. watchdog, which is given the directory and the name of the file, reports none. entr and fs.watchFile report each.
# Why it matters: the test passes, and the second rotation of a certificate or a password is not taken.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
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

debian bookworm inotify-tools=3.22.6.0-4 libinotifytools0=3.22.6.0-4 entr=5.3-1
python3 -m venv venv
venv/bin/pip --quiet install watchfiles==1.3.0 watchdog==7.1.0 || exit 2
cat >go.mod <<'END'
module lab
go 1.24
require github.com/fsnotify/fsnotify v1.9.0
END
cat >main.go <<'END'
package main

import (
	"fmt"

	"github.com/fsnotify/fsnotify"
)

func main() {
	watcher, _ := fsnotify.NewWatcher()
	if err := watcher.Add("volume/db.conf"); err != nil {
		panic(err)
	}
	for event := range watcher.Events {
		fmt.Println(event)
	}
}
END
(go mod tidy && go build -o go-watch .) >go.log 2>&1 || { cat go.log >&2; exit 2; }
cat >with-watchfiles.py <<'END'
from watchfiles import watch
for changes in watch("volume/db.conf"):
    print(changes, flush=True)
END
cat >with-watchdog.py <<'END'
import time
from watchdog.observers import Observer
from watchdog.events import PatternMatchingEventHandler

class Handler(PatternMatchingEventHandler):
    def on_any_event(self, event):
        print(event, flush=True)

observer = Observer()
observer.schedule(Handler(patterns=["*/db.conf"]), "volume", recursive=True)
observer.start()
time.sleep(60)
END
update() { # Puts version NUMBER there, as the kubelet does, and removes the one before.
    mkdir "volume/..$1"
    echo "version $1" >"volume/..$1/db.conf"
    ln -s "..$1" volume/..data_tmp
    mv -T volume/..data_tmp volume/..data
    rm -rf "volume/..$(($1 - 1))"
}
watch() { # Starts NAME, which runs COMMAND....
    local name=$1
    shift
    true >"$name.seen"
    "$@" >"$name.out" 2>"$name.err" &
    echo $! >>pids
    names+=("$name")
}
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu
echo volume/db.conf >files

mkdir volume
update 1
ln -s ..data/db.conf volume/db.conf
names=()
watch inotifywait root/usr/bin/inotifywait -q -m volume/db.conf
watch fsnotify ./go-watch
watch watchfiles venv/bin/python with-watchfiles.py
watch fs.watch node -e 'require("fs").watch("volume/db.conf", (event) => console.log(event))'
watch watchdog venv/bin/python with-watchdog.py
watch entr sh -c 'exec root/usr/bin/entr -n cat volume/db.conf <files'
watch fs.watchFile node -e 'require("fs").watchFile("volume/db.conf", {interval: 200}, () => console.log("changed"))'
sleep 8
for number in 2 3 4; do
    declare -A before
    for name in "${names[@]}"; do before[$name]=$(wc -c <"$name.out"); done
    update $number
    sleep 4
    for name in "${names[@]}"; do
        [ "$(wc -c <"$name.out")" -eq "${before[$name]}" ] || echo " $number" >>"$name.seen"
    done
done

seen=$(
    echo "updates 2, 3 and 4 are seen by"
    for name in "${names[@]}"; do echo "$name:$(tr -d '\n' <"$name.seen")"; done | sed 's/:$/: none/'
)
stated="updates 2, 3 and 4 are seen by
inotifywait: 2
fsnotify: 2
watchfiles: 2
fs.watch: 2
watchdog: none
entr: 2 3 4
fs.watchFile: 2 3 4"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
