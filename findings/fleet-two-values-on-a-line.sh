#!/usr/bin/env bash
# fleet 1.0.0 (Go module github.com/coreos/fleet): its own parser of units.
#
# Expected: the options of [X-Fleet] that may be given more than once take several values on one line in one way.
# Seen: `Conflicts=a b` is two values. `MachineMetadata=disk=ssd zone=a` is none: the line is dropped without a word, and
# so is one whose value has a "=". Only with quotes round each value is it two. Replaces and MachineOf take the line as
# the name of one unit. A comment behind Conflicts is two more globs.
# Why it matters: without its MachineMetadata a unit runs on any machine, also one without the disk of its data.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

mkdir parse
cat >parse/main.go <<'END'
package main

import (
	"fmt"
	"os"

	"github.com/coreos/fleet/job"
	"github.com/coreos/fleet/unit"
)

func main() {
	for _, line := range os.Args[1:] {
		file, err := unit.NewUnitFile("[X-Fleet]\n" + line + "\n")
		if err != nil {
			fmt.Println(line, "->", err)
			continue
		}
		db := job.NewJob("db@1.service", *file)
		wanted := map[string][]string{}
		for key, values := range db.RequiredTargetMetadata() {
			wanted[key] = values.Values()
		}
		fmt.Printf("%s -> %q %q\n", line, append(append(db.Conflicts(), db.Replaces()...), db.Peers()...), wanted)
	}
}
END
(
    cd parse
    go mod init lab && go get github.com/coreos/fleet/job@v1.0.0 github.com/coreos/fleet/unit@v1.0.0
    go build -mod=mod -o ../parser .
) >go.log 2>&1 || { cat go.log >&2; exit 2; }

seen=$(
    ./parser 'Conflicts=a@*.service b@*.service' 'Conflicts="a@*.service" "b@*.service"' 'Conflicts=a@*.service # old' \
        'MachineMetadata=disk=ssd zone=a' 'MachineMetadata="disk=ssd" "zone=a"' 'MachineMetadata=label=a=b' \
        'Replaces=a.service b.service' 'MachineOf=a.service b.service'
)
stated='Conflicts=a@*.service b@*.service -> ["a@*.service" "b@*.service"] map[]
Conflicts="a@*.service" "b@*.service" -> ["a@*.service" "b@*.service"] map[]
Conflicts=a@*.service # old -> ["a@*.service" "#" "old"] map[]
MachineMetadata=disk=ssd zone=a -> [] map[]
MachineMetadata="disk=ssd" "zone=a" -> [] map["disk":["ssd"] "zone":["a"]]
MachineMetadata=label=a=b -> [] map[]
Replaces=a.service b.service -> ["a.service b.service"] map[]
MachineOf=a.service b.service -> ["a.service b.service"] map[]'
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
