#!/usr/bin/env bash
# honcho 2.0.0 (PyPI), concurrently 9.2.5, foreman 3.0.1 and npm-run-all2 8.0.4 (npm): programs that run the processes of a
# service side by side. The process here needs a second to stop cleanly, and ends with status 0.
#
# Expected: at SIGTERM they pass it on and wait, as they do for the Ctrl-C that they are used with.
# Seen: foreman and npm-run-all2 end at once and pass nothing on: the process never hears of it, and runs on. The other
# two wait, and a clean stop is 143 in honcho and 0 in concurrently.
# Why it matters: below a service manager or an init of a container the process is killed, or runs on beside the next one.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
cd "$lab"
export HOME=$lab

python3 -m venv venv
venv/bin/pip --quiet install honcho==2.0.0 || exit 2
npm install --silent --no-fund foreman@3.0.1 concurrently@9.2.5 npm-run-all2@8.0.4 || exit 2
cat >db.py <<'PYTHON'
import os, signal, sys, time

def stop(number, frame):
    time.sleep(1)
    open("flushed", "w").close()
    sys.exit(0)

signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)
with open("pids", "a") as file:
    print(os.getpid(), file=file)
open("ready", "w").close()
time.sleep(60)
PYTHON
echo "db: exec python3 db.py" >Procfile
echo '{"name": "lab", "version": "1.0.0", "scripts": {"db": "exec python3 db.py"}}' >package.json
try() { # Runs COMMAND as NAME and stops it.
    local name=$1 status
    shift
    rm -f ready flushed
    "$@" >"$name.log" 2>&1 &
    until [ -e ready ]; do sleep 0.1; done
    kill %%
    wait %% 2>/dev/null && status=0 || status=$?
    sleep 2
    echo "$name: status $status, the process $([ -e flushed ] && echo "stopped" || echo "runs on")"
    kill -9 "$(tail -n 1 pids)" 2>/dev/null || true
}
bin=node_modules/.bin

seen=$(
    try honcho venv/bin/honcho start
    try concurrently node $bin/concurrently "exec python3 db.py"
    try foreman node $bin/nf start
    try run-p node $bin/run-p db
    try npm-run-all node $bin/npm-run-all db
)
stated="honcho: status 143, the process stopped
concurrently: status 0, the process stopped
foreman: status 143, the process runs on
run-p: status 143, the process runs on
npm-run-all: status 143, the process runs on"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
