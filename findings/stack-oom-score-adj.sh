#!/usr/bin/env bash
# Docker CLI 28.5.2 (Go module github.com/docker/cli), the reader of stack files of `docker stack`.
#
# Expected: `oom_score_adj: -500`, which format 3.13 has, reaches the container as that of
# `docker service create --oom-score-adj` does; a number that is no number is refused.
# Seen: the number is checked and then lost: after reading it is 0, without a warning. The field lacks the
# tag that names its key, which oomscoreadj would meet; that spelling is refused.
# Why it matters: the database that the kernel should kill last is killed first, as the largest process of
# the node.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

cat >main.go <<'END'
package main

import (
	"fmt"
	"os"

	"github.com/docker/cli/cli/compose/loader"
	"github.com/docker/cli/cli/compose/types"
)

func main() {
	for _, line := range os.Args[1:] {
		text := "services: { db: { image: postgres, " + line + " } }"
		parsed, err := loader.ParseYAML([]byte(text))
		if err != nil {
			panic(err)
		}
		files := []types.ConfigFile{{Filename: "stack.yml", Config: parsed}}
		config, err := loader.Load(types.ConfigDetails{ConfigFiles: files})
		if err != nil {
			fmt.Println(line+":", err)
			continue
		}
		service := config.Services[0]
		fmt.Printf("%s: score %d, signal %q\n", line, service.OomScoreAdj, service.StopSignal)
	}
}
END
(
    go mod init lab
    go mod edit -require github.com/docker/cli@v28.5.2+incompatible
    go mod tidy
    go build -o read .
) >go.log 2>&1 || { cat go.log >&2; exit 2; }

seen=$(./read "oom_score_adj: -500" "oom_score_adj: low" "oomscoreadj: -500" "stop_signal: SIGINT")
stated="oom_score_adj: -500: score 0, signal \"\"
oom_score_adj: low: services.db.oom_score_adj must be a integer
oomscoreadj: -500: services.db Additional property oomscoreadj is not allowed
stop_signal: SIGINT: score 0, signal \"SIGINT\""
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
