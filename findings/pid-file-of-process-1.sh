#!/usr/bin/env bash
# PgBouncer 1.18.0, Pgpool-II 4.3.5, chrony 4.3, monit 5.33.0 and rsync 3.2.7 of Debian 12, each as process 1 of
# its PID namespace, as in a container.
#
# Expected: a pid file that a killed daemon has left is no obstacle: no process has that number any more.
# Seen: in a container the number is 1, and the next start is process 1 as well. PgBouncer, Pgpool-II and chronyd
# take themselves for the other instance and refuse; monit "wakes" itself and ends with status 0. With any other
# stale number all four start; rsync starts in both cases.
# Why it matters: with the pid file on a volume, or in a container that is started again, one SIGKILL or lost
# power is enough, and no restart of the orchestrator helps until someone removes the file.
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

debian bookworm pgbouncer=1.18.0-1+deb12u1 libc-ares2=1.18.1-3 pgpool2=4.3.5-1+deb12u1 libmemcached11=1.1.4-1 \
    libhashkit2=1.1.4-1 chrony=4.3-2+deb12u3 monit=1:5.33.0-1 rsync=3.2.7-1+deb12u6 libpopt0=1.19+dfsg-1
chmod 755 .
mkdir -m 777 run
cat >pgbouncer.ini <<END
[databases]
db = host=127.0.0.1
[pgbouncer]
listen_addr = 127.0.0.1
unix_socket_dir =
pidfile = $lab/run/pid
END
cat >pgpool.conf <<END
pid_file_name = '$lab/run/pid'
logdir = '$lab/run'
unix_socket_directories = '$lab/run'
pcp_socket_dir = '$lab/run'
backend_hostname0 = '127.0.0.1'
num_init_children = 1
END
touch pool_hba.conf pcp.conf
printf 'port 123\nallow 127.0.0.1\ncmdport 0\nbindcmdaddress /\nuser root\npidfile %s/run/pid\n' "$lab" >chrony.conf
printf 'set daemon 5\nset idfile %s/run/id\nset statefile %s/run/state\nset pidfile %s/run/pid\n' "$lab" "$lab" "$lab" >monitrc
chmod 600 monitrc
printf 'pid file = %s/run/pid\n[db]\npath = %s\n' "$lab" "$lab" >rsyncd.conf
# Starts a daemon as process 1 and prints whether it runs; then kills it.
start() {
    local outer inner
    cat >inside <<END
PATH=$lab/root/usr/sbin:$lab/root/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin
ip link set lo up
LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu exec $*
END
    unshare --net --mount --pid --fork --mount-proc --kill-child sh inside >out 2>&1 </dev/null &
    outer=$!
    echo $outer >>pids
    sleep 3
    inner=$(cut -d" " -f1 "/proc/$outer/task/$outer/children" 2>/dev/null || true)
    if [ -n "$inner" ]; then echo "starts"; else wait $outer && echo "ends, status 0" || echo "refuses"; fi
    kill -9 ${inner:-} $outer 2>/dev/null || true
    wait $outer 2>/dev/null || true
}

seen=$(
    for daemon in "pgbouncer -u nobody $lab/pgbouncer.ini" "pgpool -n -f $lab/pgpool.conf -F $lab/pcp.conf -a $lab/pool_hba.conf" \
        "chronyd -d -x -f $lab/chrony.conf" "monit -I -c $lab/monitrc" "rsync --daemon --no-detach --config $lab/rsyncd.conf"; do
        rm -rf run/*
        first=$(start $daemon)
        after=$(cat run/pid | tr -d '\0')
        second=$(start $daemon)
        echo 4000000 >run/pid
        echo "${daemon%% *}: $first; after a kill, with $after left, $second; with another number $(start $daemon)"
    done
) 2>stderr
stated="pgbouncer: starts; after a kill, with 1 left, refuses; with another number starts
pgpool: starts; after a kill, with 1 left, refuses; with another number starts
chronyd: starts; after a kill, with 1 left, refuses; with another number starts
monit: starts; after a kill, with 1 left, ends, status 0; with another number starts
rsync: starts; after a kill, with 1 left, starts; with another number starts"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
