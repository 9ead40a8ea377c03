#!/usr/bin/env bash
# github.com/rs/xid 1.6.0 (Go module), in containers made with unshare. Needs root.
#
# Expected: an xid names its machine and its process ("3-byte machine id, 2-byte process id"), so that two pods with
# host names of their own never make the same id.
# Seen: the machine is /etc/machine-id, or else the product_uuid of the hardware, and the host name only where both are
# missing. The process is number 1 in each. Two pods of an image with a machine-id share both parts, on any nodes. So do
# two pods of one node that run as root. A counter of 24 bits, which starts anywhere, alone tells their ids apart.
# Why it matters: two pods whose counters come near each other make the same ids in the same second. The later row
# overwrites the earlier one, or is refused. Each more replica makes it likelier.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"

cat >go.mod <<'END'
module lab
go 1.24
require github.com/rs/xid v1.6.0
END
cat >main.go <<'END'
package main

import (
	"fmt"

	"github.com/rs/xid"
)

func main() {
	id := xid.New()
	fmt.Printf("%x %d %d\n", id.Machine(), id.Pid(), id.Counter())
}
END
(go mod tidy && CGO_ENABLED=0 go build -o service .) >go.log 2>&1 || { cat go.log >&2; exit 2; }
mkdir -p {image,hardware,neither}/{etc,proc,sys/class/dmi/id}
for root in image hardware neither; do cp service $root/; done
echo 0123456789abcdef0123456789abcdef >image/etc/machine-id
echo 01234567-89ab-cdef-0123-456789abcdef >hardware/sys/class/dmi/id/product_uuid
pod() { # Runs the service as process 1 of the pod NAME, of the image ROOT.
    unshare --uts --pid --fork --mount --cgroup bash -c \
        'hostname "$1" && mount -t proc proc "$2/proc" && exec chroot "$2" /service' - "$1" "$2"
}
two() {
    read -r machine process counter <<<"$(pod db-0 "$1")"
    read -r machine1 process1 counter1 <<<"$(pod db-1 "$1")"
    [ "$machine" = "$machine1" ] && echo "machine: the same" || echo "machine: differs"
    [ "$process" = "$process1" ] && echo "process: the same" || echo "process: differs"
    [ "$counter" = "$counter1" ] && echo "counter: the same" || echo "counter: differs"
}

seen=$(
    echo "an image with /etc/machine-id"
    two image
    echo "an image without, on a node with a product_uuid"
    two hardware
    echo "neither"
    two neither
)
stated="an image with /etc/machine-id
machine: the same
process: the same
counter: differs
an image without, on a node with a product_uuid
machine: the same
process: the same
counter: differs
neither
machine: differs
process: the same
counter: differs"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
