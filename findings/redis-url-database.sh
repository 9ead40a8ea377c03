#!/usr/bin/env bash
# Redis 7.0.15 (Debian 12); redis 8.1.0 and coredis 6.9.0 (PyPI); ioredis 5.8.2 and redis 5.9.0 (npm); go-redis 9.17.0,
# redigo 1.9.3 and rueidis 1.0.68 (Go); Jedis 6.0.0, Lettuce 6.7.1 and Vert.x 4.5.14 (Maven).
#
# Expected: one redis:// URL is one database for every client, or an error: "redis://host/3" and "redis://host?db=3".
# Seen: with the number as "?db=3" four of eleven are in database 0, without an error: redis-cli, redis of npm, redigo and
# Jedis. With a path and a query, "/2?db=3", the clients are in two databases: the path or the query wins.
# Why it matters: two services share a URL from one secret and do not see each other's keys, and a FLUSHDB of redis-cli at the
# URL of database 3 empties database 0. Write the number in the path, and nowhere else.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
cd "$lab"

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
    org.slf4j:slf4j-nop:2.0.17
python3 -m venv venv
venv/bin/pip --quiet install redis==8.1.0 coredis==6.9.0 || exit 2
npm install --silent --no-fund ioredis@5.8.2 redis@5.9.0 || exit 2
mkdir module
cat >module/main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"regexp"

	redigo "github.com/gomodule/redigo/redis"
	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
)

func found(info string, err error) string {
	if err != nil {
		return "error"
	}
	return regexp.MustCompile(` db=(\d+)`).FindStringSubmatch(info)[1]
}

func main() {
	options, err := redis.ParseURL(os.Args[1])
	if err != nil {
		panic(err)
	}
	connection, err := redigo.DialURL(os.Args[1])
	if err != nil {
		panic(err)
	}
	option, err := rueidis.ParseURL(os.Args[1])
	if err != nil {
		panic(err)
	}
	fmt.Println("go-redis", found(redis.NewClient(options).Do(context.Background(), "CLIENT", "INFO").Text()))
	fmt.Println("redigo", found(redigo.String(connection.Do("CLIENT", "INFO"))))
	fmt.Println("rueidis", option.SelectDB)
}
GO
(
    cd module && go mod init lab
    go get github.com/gomodule/redigo@v1.9.3 github.com/redis/go-redis/v9@v9.17.0 github.com/redis/rueidis@v1.0.68
    go build -mod=mod -o ../go-clients .
) >go.log 2>&1 || { cat go.log >&2; exit 2; }
cat >Clients.java <<'JAVA'
public class Clients {
    public static void main(String[] url) {
        System.out.println("Jedis " + redis.clients.jedis.util.JedisURIHelper.getDBIndex(java.net.URI.create(url[0])));
        System.out.println("Lettuce " + io.lettuce.core.RedisURI.create(url[0]).getDatabase());
        Integer number = new io.vertx.redis.client.impl.RedisURI(url[0]).select();
        System.out.println("Vert.x " + (number == null ? 0 : number));
    }
}
JAVA
cat >clients.py <<'PYTHON'
import asyncio, sys
import coredis, redis

client = redis.Redis.from_url(sys.argv[1])
client.ping()
print("redis-py", client.connection_pool.connection_kwargs["db"])

async def number():
    async with coredis.Redis.from_url(sys.argv[1]) as client:
        return next(one["db"] for one in await client.client_list() if one["cmd"] == "client|list")

print("coredis", asyncio.run(number()))
PYTHON
cat >clients.js <<'JS'
const url = process.argv[2]
const found = (info) => info.match(/ db=(\d+)/)[1]
const main = async () => {
    const one = new (require('ioredis'))(url)
    console.log('ioredis', found(await one.call('CLIENT', 'INFO')))
    one.disconnect()
    const other = await require('redis').createClient({ url }).connect()
    console.log('redis-of-npm', found(await other.sendCommand(['CLIENT', 'INFO'])))
    other.destroy()
}
main()
JS
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
libraries=$lab/root/usr/lib/x86_64-linux-gnu
ln -s root/usr/bin/redis-check-rdb redis-server
LD_LIBRARY_PATH=$libraries ./redis-server --port "$port" --bind 127.0.0.1 --save "" >redis.log 2>&1 &
echo $! >>pids
until grep -q "Ready to accept" redis.log; do sleep 0.1; done
databases() { # Says which clients are in which database at the URL that ends with SUFFIX.
    local url=redis://127.0.0.1:$port$1
    {
        venv/bin/python clients.py "$url"
        node clients.js "$url"
        ./go-clients "$url"
        java -cp "lib/*" Clients.java "$url" 2>java.log
        echo "redis-cli $(LD_LIBRARY_PATH=$libraries root/usr/bin/redis-cli -u "$url" client info | grep -oP " db=\K\d+")"
    } | sort | awk '{ in_it[$2] = in_it[$2] " " $1 } END { for (number in in_it) print "    database " number ":" in_it[number] }' | sort
}

seen=$(for suffix in "/3" "?db=3" "/2?db=3"; do echo "redis://host$suffix"; databases "$suffix"; done)
stated="redis://host/3
    database 3: Jedis Lettuce Vert.x coredis go-redis ioredis redigo redis-cli redis-of-npm redis-py rueidis
redis://host?db=3
    database 0: Jedis redigo redis-cli redis-of-npm
    database 3: Lettuce Vert.x coredis go-redis ioredis redis-py rueidis
redis://host/2?db=3
    database 2: Jedis Vert.x ioredis redigo redis-cli redis-of-npm
    database 3: Lettuce coredis go-redis redis-py rueidis"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
