#!/usr/bin/env bash
# Apache ZooKeeper 3.9.4 (Maven), kazoo 2.10.0 (PyPI).
#
# Expected: a server whose dataLogDir is on a volume of its own, as the manual advises, refuses to start
# if that volume comes back empty; it does refuse if the other one, dataDir, comes back empty ("No
# snapshot found, but there are log entries").
# Seen: it starts, exit code and log as ever, with the state of the last snapshot: for a young server
# that is nothing at all.
# Why it matters: a claim that is renamed, or a mount that is missing, on the log's volume alone takes
# all that was acknowledged since the last snapshot (up to 100,000 transactions).
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
cd "$lab"

# Puts GROUP:ARTIFACT:VERSION... and what they need into ./lib.
maven() {
    local artifact
    {
        echo '<project><modelVersion>4.0.0</modelVersion><groupId>lab</groupId><artifactId>lab</artifactId>'
        echo '<version>1</version><dependencies>'
        for artifact in "$@"; do
            IFS=: read -r group name version <<<"$artifact"
            echo "<dependency><groupId>$group</groupId><artifactId>$name</artifactId><version>$version</version></dependency>"
        done
        echo '</dependencies></project>'
    } >pom.xml
    mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib -DincludeScope=runtime >mvn.log 2>&1 ||
        { cat mvn.log >&2; exit 2; }
}

maven org.apache.zookeeper:zookeeper:3.9.4 io.dropwizard.metrics:metrics-core:4.1.12.1 \
    org.xerial.snappy:snappy-java:1.1.10.5 org.slf4j:slf4j-simple:2.0.13
python3 -m venv venv
venv/bin/pip --quiet install kazoo==2.10.0 || exit 2
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >zoo.cfg <<END
dataDir=$lab/data
dataLogDir=$lab/log
clientPort=$port
clientPortAddress=127.0.0.1
admin.enableServer=false
END
cat >client.py <<'END'
import logging, sys
from kazoo.client import KazooClient
logging.disable(logging.CRITICAL)
client = KazooClient(f"127.0.0.1:{sys.argv[1]}")
client.start(30)
for path in sys.argv[2:]:
    client.create(path)
print(*sorted(client.get_children("/")))
client.stop()
END
server() { # Runs a server with the CLIENT's arguments, or says how it ended.
    java -Xmx128m -cp "lib/*" org.apache.zookeeper.server.quorum.QuorumPeerMain ./zoo.cfg >server.log 2>&1 &
    echo $! >>pids
    venv/bin/python client.py "$port" "$@" 2>/dev/null || echo "refused: $(grep -ohE "No snapshot found.*entries" server.log | head -1)"
    kill $! 2>/dev/null || true
    wait
}

seen=$(
    echo "first start: $(server /orders)"
    rm -r log
    echo "log volume empty: $(server)"
    rm -r data log
    echo "anew: $(server /orders)"
    rm -r data
    echo "data volume empty: $(server)"
)
stated="first start: orders zookeeper
log volume empty: zookeeper
anew: orders zookeeper
data volume empty: refused: No snapshot found, but there are log entries"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
