#!/usr/bin/env bash
# Apache Kafka 4.1.0 (Maven), a broker with KRaft, `kafka.Kafka` and `kafka-storage format`.
#
# Expected: `log.dirs` is a set: its order does not matter, and a new disk may be put in front.
# Seen: the first directory of the list holds the cluster's metadata unless metadata.log.dir is set.
# With the two directories exchanged the broker exits: "Found unexpected metadata location in data
# directory". So it does with a new disk in front, formatted or not; behind the others it is taken.
# Why it matters: a list that is generated from a set of volumes, sorted or with one added, takes the
# broker down at its next start. Set metadata.log.dir, or append only and
# format the new one with --ignore-formatted first.
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

maven org.apache.kafka:kafka_2.13:4.1.0 org.slf4j:slf4j-simple:1.7.36
ports=$(python3 - <<'END'
import socket
found = [socket.socket() for _ in range(2)]
for s in found: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in found))
END
)
config() { # Writes the settings with these directories.
    cat >server.properties <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${ports#* }
listeners=PLAINTEXT://127.0.0.1:${ports% *},CONTROLLER://127.0.0.1:${ports#* }
controller.listener.names=CONTROLLER
log.dirs=$1
END
}
broker() { # Starts the broker and says how that ended.
    rm -f log
    java -Xmx300m -cp "lib/*" kafka.Kafka server.properties >log 2>&1 &
    echo $! >>pids
    for _ in $(seq 300); do
        grep -qsE "Kafka Server started|fatal exception" log && break || sleep 0.2
    done
    kill $! 2>/dev/null || true
    wait || true
    grep -ohE "Kafka Server started|Found unexpected metadata location" log | head -1
}

format() { java -Xmx200m -cp "lib/*" kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAQ -c server.properties "$@" >log 2>&1; }

config "$lab/a,$lab/b"
format

seen=$(
    echo "a,b: $(broker)"
    config "$lab/b,$lab/a"
    echo "b,a: $(broker)"
    config "$lab/a,$lab/b,$lab/c"
    format --ignore-formatted
    echo "a,b,c: $(broker)"
    config "$lab/c,$lab/a,$lab/b"
    echo "c,a,b: $(broker)"
)
stated="a,b: Kafka Server started
b,a: Found unexpected metadata location
a,b,c: Kafka Server started
c,a,b: Found unexpected metadata location"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
