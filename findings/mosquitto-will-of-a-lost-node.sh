#!/usr/bin/env bash
# Mosquitto 2.0.11 (Debian 12).
#
# Expected: a member that dies has the retained state "offline", its last will. Where broker and member die with one node, the
# broker, which keeps sessions and retained messages on its disk, publishes the will after its start, when the member
# does not come back within its keep-alive.
# Seen: the will is in memory alone. After the broker was killed, the session is back and the state is "online" for good. When
# the broker is stopped with SIGTERM it publishes the will first, so a test with a clean restart shows nothing.
# Why it matters: who asks the broker which members live, and that is a usual way, counts the dead member as alive until
# it is started again somewhere. Let each reader also ask for the age of the state.
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
cat >client.py <<'PYTHON'
import sys, time
import paho.mqtt.client as mqtt

port, role = int(sys.argv[1]), sys.argv[2]
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=role, clean_session=role != "member")
if role == "member":
    client.will_set("state/db-0", "offline", qos=1, retain=True)
else:
    client.on_message = lambda client, data, message: print(message.payload.decode())
client.connect("127.0.0.1", port, keepalive=5)
client.loop_start()
if role == "member":
    client.publish("state/db-0", "online", qos=1, retain=True).wait_for_publish()
    open("online", "w").close()
    time.sleep(600)
client.subscribe("state/db-0", qos=1)
time.sleep(2)
PYTHON
broker() {
    LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu:$lab/root/lib/x86_64-linux-gnu root/usr/sbin/mosquitto -c conf >>log 2>&1 &
    broker=$!
    echo $! >>pids
    for _ in $(seq 100); do (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break || sleep 0.1; done
}
state() { # Says what the state is after the member, and the broker with SIGNAL if given, died, and the broker came back.
    rm -rf data online
    mkdir data
    printf 'listener %s 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location %s/data/\nuser %s\n' \
        "$port" "$lab" "$(id -un)" >conf
    broker
    venv/bin/python client.py "$port" member &
    member=$!
    echo $! >>pids
    until [ -e online ]; do sleep 0.1; done
    kill -USR1 $broker # Writes the disk, as the broker does from time to time.
    sleep 1
    if [ $# = 1 ]; then
        kill "-$1" $broker
        kill -9 $member
        wait $broker || true
        broker
    else
        kill -9 $member
    fi
    sleep 12 # The keep-alive is 5 seconds.
    venv/bin/python client.py "$port" reader
    kill -9 $broker
}

seen=$(
    exec 2>>log
    echo "the member dies: $(state)"
    echo "the member dies, the broker is stopped and started: $(state TERM)"
    echo "both die with their node: $(state KILL)"
)
stated="the member dies: offline
the member dies, the broker is stopped and started: offline
both die with their node: online"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
