#!/usr/bin/env bash
# Supervisors of Debian 12, and of PyPI: runsvdir (runit 2.1.2), svscan (daemontools 0.76), s6-svscan (s6
# 2.11.3.2), monit 5.33.0, supervisord 4.3.0, circusd 0.19.0, each as process 1 of a PID namespace.
#
# Expected: at SIGTERM, which `docker stop` and the kubelet send, a supervisor stops its services in order.
# Seen: s6-svscan, supervisord and circusd do. runsvdir and monit end at once, without a signal to the
# service, which the kernel then kills; SIGHUP, for which runsvdir passes SIGTERM on, is no help, since it does not
# wait. svscan does not react at all, and all are killed after the grace period.
# Why it matters: a database in such an image is killed at each stop, and recovers at each start; a longer
# grace period changes nothing.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
touch "$lab/pids"
trap 'exec 2>/dev/null; xargs -r kill -9 <"$lab/pids" || true; rm -rf "$lab"' EXIT
cd "$lab"
export HOME=$lab LAB=$lab

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

debian bookworm runit=2.1.2-54 daemontools=1:0.76-8.1 s6=2.11.3.2-1 libs6-2.11=2.11.3.2-1 \
    libexecline2.9=2.9.3.0-1 libskarnet2.13=2.13.1.1-1 monit=1:5.33.0-1
python3 -m venv venv
venv/bin/pip --quiet install supervisor==4.3.0 circus==0.19.0 || exit 2

cat >db <<'END'
#!/bin/sh
# Flushes for half a second.
trap 'sleep 0.5; echo flushed >>"$LAB/log"; exit 0' TERM
echo started >>"$LAB/log"
while :; do sleep 0.1; done
END
mkdir -p scan/db
printf '#!/bin/sh\nexec %s/db\n' "$lab" >scan/db/run
chmod +x db scan/db/run
cat >supervisord.conf <<END
[supervisord]
nodaemon=true
user=root
logfile=/dev/null
logfile_maxbytes=0
pidfile=$lab/supervisord.pid
[program:db]
command=$lab/db
END
cat >circus.ini <<END
[circus]
endpoint = ipc://$lab/endpoint
pubsub_endpoint = ipc://$lab/pubsub
[watcher:db]
cmd = $lab/db
copy_env = True
END
cat >monitrc <<END
set daemon 1
set idfile $lab/monit.id
set statefile $lab/monit.state
set pidfile $lab/monit.pid
check process db with pidfile $lab/db.pid
  start program = "/bin/sh -c 'LAB=$lab $lab/db & echo \$! >$lab/db.pid'"
  stop program = "/bin/sh -c 'kill \$(cat $lab/db.pid)'"
END
chmod 600 monitrc
# Runs a supervisor as process 1, sends it a SIGNAL, and prints what it and its service have done after 5 s.
stop() {
    local signal=$1 outer inner
    shift
    : >log
    # s6-svscan looks for its supervisor in /usr/bin.
    cat >inside <<END
mount -t overlay -o lowerdir=$lab/root/usr/bin:/usr/bin overlay /usr/bin
LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu exec $*
END
    unshare --mount --pid --fork --mount-proc --kill-child sh inside >out 2>&1 </dev/null &
    outer=$!
    echo $outer >>pids
    for _ in $(seq 200); do grep -q started log && break || sleep 0.1; done
    sleep 1
    inner=$(cut -d" " -f1 "/proc/$outer/task/$outer/children")
    kill -s "$signal" "$inner"
    for _ in $(seq 50); do [ -d "/proc/$inner" ] && sleep 0.1 || break; done
    [ -d "/proc/$inner" ] && echo "runs on, service $(paste -sd" " log)" || echo "ended, service $(paste -sd" " log)"
    kill -9 "$inner" $outer 2>/dev/null || true
    wait $outer 2>/dev/null || true
    rm -rf scan/.s6-svscan scan/db/supervise
}

seen=$(
    echo "runsvdir: $(stop TERM runsvdir scan)"
    echo "runsvdir, SIGHUP: $(stop HUP runsvdir scan)"
    echo "svscan: $(stop TERM svscan scan)"
    echo "s6-svscan: $(stop TERM s6-svscan scan)"
    echo "monit: $(stop TERM monit -I -c monitrc)"
    echo "supervisord: $(stop TERM venv/bin/supervisord -c supervisord.conf)"
    echo "circusd: $(stop TERM venv/bin/circusd circus.ini)"
)
stated="runsvdir: ended, service started
runsvdir, SIGHUP: ended, service started
svscan: runs on, service started
s6-svscan: ended, service started flushed
monit: ended, service started
supervisord: ended, service started flushed
circusd: ended, service started flushed"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
