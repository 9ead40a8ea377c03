#!/usr/bin/env bash
# crane 0.22.1 (Go module github.com/google/go-containerregistry), umoci 0.6.0 (github.com/opencontainers/umoci).
#
# Expected: a new entrypoint for an image means the same in both tools, which edit the same config: both
# drop the old Cmd, as ENTRYPOINT in a Dockerfile does, or both keep it.
# Seen: `crane mutate --entrypoint` drops Cmd; `umoci config --config.entrypoint` keeps it.
# Why it matters: a wrapper (a lock, tini) that is put before a database image runs it without its
# arguments with crane, or hands the old arguments to something else with umoci.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
cd "$lab"

# Builds PACKAGE at VERSION into ./NAME.
go_build() {
    local module
    module=$(mktemp -d -p .)
    (
        cd "$module"
        go mod init lab && go get "$2@$3" && go build -mod=mod -o "$lab/$1" "$2"
    ) >go.log 2>&1 || { cat go.log >&2; exit 2; }
}

go_build crane github.com/google/go-containerregistry/cmd/crane v0.22.1
go_build umoci github.com/opencontainers/umoci/cmd/umoci v0.6.0
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
./crane registry serve --address "127.0.0.1:$port" >log 2>&1 &
echo $! >>pids
sleep 1
image=127.0.0.1:$port/db
tar -cf empty.tar --files-from /dev/null
show() { python3 -c 'import json, sys
config = json.load(sys.stdin)["config"]
print(config.get("Entrypoint"), config.get("Cmd"))'; }

seen=$(
    {
        ./crane append -f empty.tar -t "$image"
        ./crane mutate "$image" --entrypoint /bin/db --cmd run,--data=/srv -t "$image"
        ./crane mutate "$image" --entrypoint /bin/wrap,/bin/db -t "$image"
        ./umoci init --layout image
        ./umoci new --image image:a
        ./umoci config --image image:a --config.entrypoint /bin/db --config.cmd run --config.cmd --data=/srv
        ./umoci config --image image:a --config.entrypoint /bin/wrap --config.entrypoint /bin/db
    } >>log 2>&1
    echo "crane: $(./crane config "$image" | show)"
    echo "umoci: $(./umoci stat --image image:a --json |
        python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["config"]["blob"]))' | show)"
)
stated="crane: ['/bin/wrap', '/bin/db'] None
umoci: ['/bin/wrap', '/bin/db'] ['run', '--data=/srv']"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
