#!/usr/bin/env bash
# HAProxy 2.6.12 and nginx 1.22.1 (Debian 12), each with a consistent hash of the path over five servers.
#
# Expected: with consistent hashing a new server takes its share of the keys, a sixth, and all others stay where they are;
# the order of the lines in the file means nothing.
# Seen: nginx does so. HAProxy hashes the number of a server, which is its place in the file, and not its name or address. A
# new line at the end moves a sixth of the keys, a new line at the top nearly all; so does taking away the first line, or
# sorting the lines the other way. With `id` on each line HAProxy moves a sixth as well.
# Why it matters: a generated file has its servers in the order of a discovery service, and a change of order empties the
# caches, or sends each session to a member that does not have it.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
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

debian bookworm haproxy=2.6.12-1+deb12u3 libopentracing-c-wrapper0=1.1.3-3+b1 libopentracing1=1.6.0-4 \
    liblua5.3-0=5.3.6-2 nginx=1.22.1-9+deb12u9
cat >moved.py <<'END'
import http.client, os, socket, subprocess, time

keys = [f"/key-{number}" for number in range(500)]
def free():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
front, ports = free(), {name: free() for name in "abcdef"}
limits = "defaults\n mode http\n timeout connect 9s\n timeout client 9s\n timeout server 9s\n"
servers = limits + "".join(f"frontend {name}\n bind 127.0.0.1:{port}\n"
    f" http-request return status 200 content-type text/plain string {name}\n" for name, port in ports.items())

def wait(port):
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)

def haproxy(order, ids=False):
    lines = "".join(f" server {name} 127.0.0.1:{ports[name]}" + (f" id {ord(name)}\n" if ids else "\n") for name in order)
    return ["haproxy", "-f"], (f"{limits}frontend keys\n bind 127.0.0.1:{front}\n default_backend five\n"
        f"backend five\n balance uri\n hash-type consistent\n{lines}")

def nginx(order):
    here = os.getcwd()
    lines = " ".join(f"server 127.0.0.1:{ports[name]};" for name in order)
    temporary = " ".join(f"{name}_temp_path {here}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return ["nginx", "-e", "stderr", "-c"], (f"daemon off; error_log stderr; pid {here}/nginx.pid; events {{}} http {{ access_log off; {temporary}"
        f"upstream five {{ hash $request_uri consistent; {lines} }}"
        f"server {{ listen 127.0.0.1:{front}; location / {{ proxy_pass http://five; }} }} }}")

def ask(program, *arguments):
    command, text = program(*arguments)
    open("conf", "w").write(text)
    balancer = subprocess.Popen([f"root/usr/sbin/{command[0]}", *command[1:], os.path.abspath("conf")], stderr=open("log", "a"))
    try:
        for port in front, *ports.values():
            wait(port)
        connection, answers = http.client.HTTPConnection("127.0.0.1", front), []
        for key in keys:
            connection.request("GET", key)
            answers.append(connection.getresponse().read().decode().strip())
        assert set(answers) <= set(ports)
        return answers
    finally:
        balancer.terminate()
        balancer.wait()

open("servers", "w").write(servers)
behind = subprocess.Popen(["root/usr/sbin/haproxy", "-f", "servers"], stderr=open("log", "a"))
try:
    for name, program, *more in ("nginx", nginx), ("haproxy", haproxy), ("haproxy with id", haproxy, True):
        before = ask(program, "abcde", *more)
        for order in "abcdef", "fabcde", "bcde", "edcba":
            after = ask(program, order, *more)
            moved = sum(a != b for a, b in zip(before, after)) / len(keys)
            share = "none" if not moved else "less than a third" if moved < 1 / 3 else "more than two thirds" if moved > 2 / 3 else "half"
            print(f"{name}, abcde to {order}: {share} of the keys move")
finally:
    behind.terminate()
    behind.wait()
END

seen=$(LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu python3 moved.py)
stated="nginx, abcde to abcdef: less than a third of the keys move
nginx, abcde to fabcde: less than a third of the keys move
nginx, abcde to bcde: less than a third of the keys move
nginx, abcde to edcba: none of the keys move
haproxy, abcde to abcdef: less than a third of the keys move
haproxy, abcde to fabcde: more than two thirds of the keys move
haproxy, abcde to bcde: more than two thirds of the keys move
haproxy, abcde to edcba: more than two thirds of the keys move
haproxy with id, abcde to abcdef: less than a third of the keys move
haproxy with id, abcde to fabcde: less than a third of the keys move
haproxy with id, abcde to bcde: less than a third of the keys move
haproxy with id, abcde to edcba: none of the keys move"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
