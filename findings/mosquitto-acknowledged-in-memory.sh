#!/usr/bin/env bash
# Mosquitto 2.0.11 (Debian 12), paho-mqtt 2.1.0 (PyPI).
#
# Expected: with `persistence true`, a retained message that the broker has acknowledged at QoS 2 is on
# disk, or is within seconds.
# Seen: nothing is written until the broker stops by SIGTERM, or until autosave_interval, 30 minutes. After
# SIGKILL the directory is still empty, and the message is gone.
# Why it matters: a grace period that is too short, a forced delete or a lost node takes half an hour of
# acknowledged messages, though the volume is fine.
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

debian bookworm mosquitto=2.0.11-1.2+deb12u2 libwebsockets17=4.1.6-3 libcjson1=1.7.15-1+deb12u4 libdlt2=2.18.8-6 libwrap0=7.6.q-32
python3 -m venv venv
venv/bin/pip --quiet install paho-mqtt==2.1.0 || exit 2
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir data
printf 'listener %s 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location %s\nuser %s\n' \
    "$port" "$lab/data" "$(id -un)" >conf
start() {
    LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu:$lab/root/lib/x86_64-linux-gnu root/usr/sbin/mosquitto -c conf >log 2>&1 &
    echo $! >>pids
    for _ in $(seq 100); do (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break || sleep 0.1; done
}
cat >client.py <<'END'
import sys, time
import paho.mqtt.client as mqtt

seen = []
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.on_message = lambda client, data, message: seen.append(message.topic)
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_start()
if len(sys.argv) > 2:
    sent = client.publish(sys.argv[2], "x", qos=2, retain=True)
    sent.wait_for_publish(10)
    print("acknowledged:", sent.is_published())
else:
    client.subscribe("#", 2)
    time.sleep(2)
    print("kept:", *seen)
END

seen=$(
    for signal in KILL TERM; do
        start
        venv/bin/python client.py "$port" orders
        kill -s $signal $!
        wait $! || true
        start
        echo "after SIG$signal $(venv/bin/python client.py "$port")"
        kill $!
        wait $! || true
        rm -f data/*
    done
) 2>stderr
stated="acknowledged: True
after SIGKILL kept:
acknowledged: True
after SIGTERM kept: orders"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
