#!/usr/bin/env bash
# Serf 0.10.2 (Go module github.com/hashicorp/serf), on hashicorp/memberlist 0.5.2.
#
# Expected: a member that was killed and comes back with its name and another address, as a pod does, is alive
# again to all, since the name is its identity.
# Seen: for half a minute and more the name stays "failed" at its old address to the others ("conflicting
# address"), while the member itself has joined and sees all alive. A member that left in order is alive at once.
# Why it matters: after a crash the pod is up and its own view is green, and the cluster does without it for as
# long; a second crash in that time takes the majority.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
cd "$lab"

GOBIN=$lab go install github.com/hashicorp/serf/cmd/serf@v0.10.2 || exit 2
net=127.$((RANDOM % 200 + 20)).$((RANDOM % 200 + 20))
start() { # Starts member NAME at ADDRESS, and leaves its process in $pid.
    ./serf agent -node "$1" -bind "$net.$2:7946" -rpc-addr "$net.$2:7373" -retry-join "$net.1:7946" -retry-interval 1s >>"log-$1" 2>&1 &
    pid=$!
    echo $pid >>pids
}
# Prints what the member at ADDRESS sees of NAME, once it is WANTED, or after SECONDS.
sees() {
    local said=
    for _ in $(seq "$4"); do
        said=$(./serf members -rpc-addr "$net.$1:7373" 2>/dev/null | awk -v name="$2" '$1 == name { print $2, $3 }' | sed "s/^$net//; s/:7946//")
        [ "$said" = "$3" ] && break || sleep 1
    done
    echo "$said"
}

seen=$(
    start db-0 1
    sees 1 db-0 ".1 alive" 20 >/dev/null
    start db-2 2
    echo "at first: $(sees 1 db-2 ".2 alive" 20)"
    kill -INT $pid
    echo "left: $(sees 1 db-2 ".2 left" 20)"
    start db-2 3
    echo "back: $(sees 1 db-2 ".3 alive" 20)"
    kill -9 $pid
    echo "killed: $(sees 1 db-2 ".3 failed" 20)"
    start db-2 4
    echo "back: $(sees 1 db-2 ".4 alive" 15), itself sees $(sees 4 db-0 ".1 alive" 5)"
    echo "later: $(sees 1 db-2 ".4 alive" 80)"
) 2>stderr
stated="at first: .2 alive
left: .2 left
back: .3 alive
killed: .3 failed
back: .3 failed, itself sees .1 alive
later: .4 alive"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
