#!/usr/bin/env bash
# github.com/hashicorp/hcl 1.0.0, in which Consul and Vault read their settings, and github.com/hashicorp/hcl/v2 2.25.0, which is
# the language of Nomad's jobs, Packer and Terraform (Go modules).
#
# Expected: `mode = 0400` is the same number in the two versions of one language, octal or decimal, or the second version refuses
# it. In quotes it is text, and no zero counts.
# Seen: the first reads 256, which is 0400, and the second 400, which is 0620. So it is in quotes, where the field is a number.
# `mode = 010` is 8 to the first and 10 to the second. No error.
# Why it matters: a tool that moves to the second version, or a line that is copied to a file of it, lets the group write to a
# key that only its owner was to read, or opens another port.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

cat >go.mod <<'END'
module lab
go 1.24
require (
	github.com/hashicorp/hcl v1.0.0
	github.com/hashicorp/hcl/v2 v2.25.0
)
END
cat >main.go <<'END'
package main

import (
	"fmt"

	"github.com/hashicorp/hcl"
	"github.com/hashicorp/hcl/v2/hclsimple"
)

func main() {
	for _, text := range []string{`mode = 0400`, `mode = "0400"`, `mode = 010`} {
		var first, second struct {
			Mode int `hcl:"mode"`
		}
		fmt.Printf("%s: ", text)
		if err := hcl.Decode(&first, text); err != nil {
			fmt.Print(err)
		}
		if err := hclsimple.Decode("lab.hcl", []byte(text+"\n"), nil, &second); err != nil {
			fmt.Print(err)
		}
		fmt.Printf("%d (%#o) and %d (%#o)\n", first.Mode, first.Mode, second.Mode, second.Mode)
	}
}
END
(go mod tidy && go build -o both .) >go.log 2>&1 || { cat go.log >&2; exit 2; }

seen=$(./both)
stated='mode = 0400: 256 (0400) and 400 (0620)
mode = "0400": 256 (0400) and 400 (0620)
mode = 010: 8 (010) and 10 (012)'
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
