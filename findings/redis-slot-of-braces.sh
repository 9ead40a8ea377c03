#!/usr/bin/env bash
# cluster-key-slot 1.1.2 (npm; ioredis uses it), redis 8.1.0 (PyPI), mna/redisc 1.4.0 (Go), Jedis 6.0.0,
# Lettuce 6.7.1, Vert.x 4.5.14 and Redisson 3.50.0 (Maven), Redis 7.0.15 (Debian 12).
#
# Expected: a Redis cluster and its clients have one slot for a key. The specification says how braces in it count.
# Seen: of a key with "{}" before a tag cluster-key-slot and Vert.x hash the last part, where the server hashes all. Of a key
# with a "}" before its tag Redisson hashes all, where the server hashes the tag.
# Why it matters: a template with an empty field makes such a key. Each of its commands goes to another node first and is
# sent on, and keys that one client takes for one slot, for a transaction, are in two on the server.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
cd "$lab"
export HOME=$lab

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

# Puts artifacts, with what they need, into ./lib.
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

debian bookworm redis-tools=5:7.0.15-1~deb12u7 libjemalloc2=5.3.0-1 liblzf1=3.6-3
maven redis.clients:jedis:6.0.0 io.lettuce:lettuce-core:6.7.1.RELEASE io.vertx:vertx-redis-client:4.5.14 \
    org.redisson:redisson:3.50.0 org.slf4j:slf4j-nop:2.0.17
python3 -m venv venv
venv/bin/pip --quiet install redis==8.1.0 || exit 2
npm install --silent --no-fund cluster-key-slot@1.1.2 || exit 2
mkdir module
cat >module/main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/mna/redisc"
)

func main() {
	for _, key := range os.Args[1:] {
		fmt.Println(redisc.Slot(key))
	}
}
GO
(cd module && go mod init lab && go get github.com/mna/redisc@v1.4.0 && go build -mod=mod -o ../slots .) >go.log 2>&1 ||
    { cat go.log >&2; exit 2; }
cat >Slots.java <<'JAVA'
import org.redisson.connection.ClusterConnectionManager;

public class Slots {
    public static void main(String[] keys) throws Exception {
        // A manager without a connection: calcSlot needs its log alone.
        var field = sun.misc.Unsafe.class.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        var unsafe = (sun.misc.Unsafe) field.get(null);
        var redisson = (ClusterConnectionManager) unsafe.allocateInstance(ClusterConnectionManager.class);
        var log = ClusterConnectionManager.class.getDeclaredField("log");
        unsafe.putObject(redisson, unsafe.objectFieldOffset(log), org.slf4j.LoggerFactory.getLogger("slots"));
        for (String key : keys)
            System.out.println(redis.clients.jedis.util.JedisClusterCRC16.getSlot(key)
                + " " + io.lettuce.core.cluster.SlotHash.getSlot(key)
                + " " + io.vertx.redis.client.impl.ZModem.generate(key) + " " + redisson.calcSlot(key));
    }
}
JAVA
ln -s root/usr/bin/redis-check-rdb redis-server
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu
./redis-server --port 0 --unixsocket "$lab/socket" --cluster-enabled yes --save "" >redis.log 2>&1 &
echo $! >>pids
until [ -S socket ]; do sleep 0.1; done

slots() { # Prints the slot of KEY in each program.
    local java
    read -ra java < <(java -cp "lib/*" Slots.java "$1" 2>java.log) || { cat java.log >&2; exit 2; }
    echo "$1: Redis $(root/usr/bin/redis-cli -s socket cluster keyslot "$1")," \
        "redis-py $(venv/bin/python -c 'import sys
from redis.crc import key_slot
print(key_slot(sys.argv[1].encode()))' "$1")," \
        "redisc $(./slots "$1"), Jedis ${java[0]}, Lettuce ${java[1]}," \
        "ioredis $(node -p 'require("cluster-key-slot")(process.argv[1])' "$1"), Vert.x ${java[2]}, Redisson ${java[3]}"
}
seen=$(for key in "cart:{42}" "shop:{}:cart:{42}" "a}b:{42}"; do slots "$key"; done)
stated="cart:{42}: Redis 8000, redis-py 8000, redisc 8000, Jedis 8000, Lettuce 8000, ioredis 8000, Vert.x 8000, Redisson 8000
shop:{}:cart:{42}: Redis 6760, redis-py 6760, redisc 6760, Jedis 6760, Lettuce 6760, ioredis 15499, Vert.x 15499, Redisson 6760
a}b:{42}: Redis 8000, redis-py 8000, redisc 8000, Jedis 8000, Lettuce 8000, ioredis 8000, Vert.x 8000, Redisson 13274"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
