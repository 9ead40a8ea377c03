#!/usr/bin/env bash
# ZooKeeper 3.9.4, Curator 5.9.0 (Maven), kazoo 2.10.0 (PyPI), github.com/go-zookeeper/zk 1.0.4 (Go module).
#
# Expected: clients in Java, Python and Go that take the lock of one path exclude each other. All three follow the recipe of
# ZooKeeper's manual, with ephemeral nodes that ZooKeeper numbers.
# Seen: Curator and Go name their nodes "lock-", and kazoo "__lock__". kazoo counts nodes of its own name alone, so that it
# takes the lock that a Java or Go client holds. Curator takes the one that kazoo holds. The Go client waits for all.
# Why it matters: a job in another language gets in beside the leader, without an error on either side. For kazoo the option
# extra_lock_patterns=["-lock-"] helps. For Curator there is none.
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
    org.xerial.snappy:snappy-java:1.1.10.5 org.slf4j:slf4j-simple:2.0.13 org.apache.curator:curator-recipes:5.9.0
python3 -m venv venv
venv/bin/pip --quiet install kazoo==2.10.0 || exit 2
cat >go.mod <<'END'
module lab
go 1.24
require github.com/go-zookeeper/zk v1.0.4
END
# Each client takes the lock /lock of the ADDRESS, says so, or says after three seconds that it waits, and ends
# with its input.
cat >main.go <<'END'
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/go-zookeeper/zk"
)

func main() {
	conn, _, err := zk.Connect(os.Args[1:2], 10*time.Second, zk.WithLogInfo(false))
	if err != nil {
		panic(err)
	}
	got := make(chan error, 1)
	go func() { got <- zk.NewLock(conn, "/lock", zk.WorldACL(zk.PermAll)).Lock() }()
	select {
	case err := <-got:
		fmt.Println(map[bool]string{true: "holds", false: "fails"}[err == nil])
	case <-time.After(3 * time.Second):
		fmt.Println("waits")
	}
	os.Stdin.Read(make([]byte, 1))
	conn.Close()
}
END
cat >Curator.java <<'END'
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.RetryOneTime;

class Curator {
    public static void main(String[] args) throws Exception {
        try (var client = CuratorFrameworkFactory.newClient(args[0], new RetryOneTime(100))) {
            client.start();
            boolean held = new InterProcessMutex(client, "/lock").acquire(3, TimeUnit.SECONDS);
            System.out.println(held ? "holds" : "waits");
            System.in.read();
        }
    }
}
END
cat >client.py <<'END'
import logging, sys
from kazoo.client import KazooClient
from kazoo.exceptions import LockTimeout
logging.disable(logging.CRITICAL)
client = KazooClient(sys.argv[1])
client.start(30)
try:
    client.Lock("/lock", extra_lock_patterns=sys.argv[2:]).acquire(timeout=3)
    print("holds", flush=True)
except LockTimeout:
    print("waits", flush=True)
sys.stdin.read(1)
client.stop()
END
cat >pairs.py <<'END'
import subprocess, sys
clients = {
    "Curator": ["java", "-Xmx128m", "-cp", "classes:lib/*", "Curator", sys.argv[1]],
    "kazoo": ["venv/bin/python", "client.py", sys.argv[1]],
    "Go": ["./go-client", sys.argv[1]],
    "kazoo with -lock-": ["venv/bin/python", "client.py", sys.argv[1], "-lock-"],
}
log = open("clients.log", "w")
def start(name):
    client = subprocess.Popen(clients[name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
    return client, client.stdout.readline().strip()
pairs = [(first, second) for first in ("Curator", "kazoo", "Go") for second in ("Curator", "kazoo", "Go")]
for first, second in pairs + [("Curator", "kazoo with -lock-")]:
    holder, _ = start(first)
    other, state = start(second)
    print(f"{first} holds; {second} {state}")
    for client in (holder, other):
        client.communicate("\n")
END
{ go mod tidy && go build -o go-client . && javac -cp "lib/*" -d classes Curator.java; } >build.log 2>&1 ||
    { cat build.log >&2; exit 2; }
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >zoo.cfg <<END
dataDir=$lab/data
clientPort=$port
clientPortAddress=127.0.0.1
admin.enableServer=false
END
java -Xmx128m -cp "lib/*" org.apache.zookeeper.server.quorum.QuorumPeerMain ./zoo.cfg >server.log 2>&1 &
echo $! >>pids
venv/bin/python -c "from kazoo.client import KazooClient as C; C('127.0.0.1:$port').start(30)" 2>>log

seen=$(venv/bin/python pairs.py "127.0.0.1:$port")
stated="Curator holds; Curator waits
Curator holds; kazoo holds
Curator holds; Go waits
kazoo holds; Curator holds
kazoo holds; kazoo waits
kazoo holds; Go waits
Go holds; Curator waits
Go holds; kazoo holds
Go holds; Go waits
Curator holds; kazoo with -lock- waits"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
