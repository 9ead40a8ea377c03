#!/usr/bin/env bash
# Redis 7.0.15, memcached 1.6.18, Mosquitto 2.0.11, PgBouncer 1.18.0 and nginx 1.22.1 of Debian 12.
#
# Expected: a second server on the UNIX socket of a running one is refused, as on its TCP port.
# Seen: Redis, memcached and Mosquitto remove the socket and make their own; both servers run, new clients are all
# with the second, and old ones stay with the first. When the second stops, the first runs on and cannot be
# reached. PgBouncer and nginx refuse.
# Why it matters: without a port, a socket on the node is not a lock for one member; an overlap at an update
# splits the clients, or leaves a server that is alive to its supervisor only.
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

debian bookworm redis-tools=5:7.0.15-1~deb12u7 libjemalloc2=5.3.0-1 liblzf1=3.6-3 memcached=1.6.18-1 \
    mosquitto=2.0.11-1.2+deb12u2 libwebsockets17=4.1.6-3 libcjson1=1.7.15-1+deb12u4 libdlt2=2.18.8-6 libwrap0=7.6.q-32 \
    pgbouncer=1.18.0-1+deb12u1 libc-ares2=1.18.1-3 nginx=1.22.1-9+deb12u9
chmod 755 .
mkdir -m 777 run
# Redis is one program of several names.
ln -s "$lab/root/usr/bin/redis-check-rdb" redis-server
printf 'listener 0 %s/run/mosquitto\nallow_anonymous true\nuser root\n' "$lab" >mosquitto.conf
for number in 1 2; do
    printf '[databases]\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = %s/run\npidfile = %s/run/pid-%s\n' "$lab" "$lab" $number >pgbouncer-$number
    mkdir nginx-$number redis-$number
    cat >nginx-$number.conf <<END
daemon off;
master_process off;
pid pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server { listen unix:$lab/run/nginx; }
}
END
done
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu PATH=$lab/root/usr/bin:$lab/root/usr/sbin:$PATH
server() { # Prints the command of server NUMBER of NAME.
    case $2 in
        redis) echo ./redis-server --port 0 --unixsocket "$lab/run/redis" --dir "redis-$1" ;;
        memcached) echo memcached -u root -s "$lab/run/memcached" ;;
        mosquitto) echo mosquitto -c mosquitto.conf ;;
        pgbouncer) echo pgbouncer -u nobody "pgbouncer-$1" ;;
        nginx) echo nginx -p "nginx-$1" -c "$lab/nginx-$1.conf" ;;
    esac
}
state() { kill -0 "$1" 2>/dev/null && echo runs || echo ended; }
reached() { # Prints whether a client gets a connection at the socket.
    python3 -c 'import socket, sys
try: socket.socket(socket.AF_UNIX).connect(sys.argv[1]); print("reached")
except OSError as error: print(error.strerror)' "$1"
}

seen=$(
    for name in redis memcached mosquitto pgbouncer nginx; do
        socket=run/$name
        [ $name != pgbouncer ] || socket=run/.s.PGSQL.6432
        $(server 1 $name) >out 2>&1 &
        first=$!
        echo $first >>pids
        for _ in $(seq 100); do [ -S $socket ] && break || sleep 0.1; done
        sleep 0.5
        before=$(stat -c %i $socket)
        $(server 2 $name) >out 2>&1 &
        second=$!
        echo $second >>pids
        sleep 4
        [ "$(stat -c %i $socket)" = "$before" ] && whose="the first's" || whose="the second's"
        line="$name: first $(state $first), second $(state $second), socket is $whose"
        kill $second 2>/dev/null || true
        wait $second || true
        echo "$line; without the second $(state $first), $(reached $socket)"
        kill -9 $first
        wait $first || true
    done
) 2>stderr
stated="redis: first runs, second runs, socket is the second's; without the second runs, No such file or directory
memcached: first runs, second runs, socket is the second's; without the second runs, Connection refused
mosquitto: first runs, second runs, socket is the second's; without the second runs, No such file or directory
pgbouncer: first runs, second ended, socket is the first's; without the second runs, reached
nginx: first runs, second ended, socket is the first's; without the second runs, reached"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
