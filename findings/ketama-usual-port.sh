#!/usr/bin/env bash
# libmemcached 1.1.4 (Debian 12), uhashring 2.3 (PyPI), hashring 3.2.0 (npm); no server is needed.
#
# Expected: clients that promise a ketama ring find a key on the same server, or differ at any port.
# Seen: at port 11212 libmemcached with KETAMA_WEIGHTED, uhashring and hashring agree on each key. At 11211, the usual port,
# libmemcached leaves the port out of the names on its ring, and four fifths of the keys are on another of five
# servers. The behavior that is called KETAMA has another ring at any port.
# Why it matters: a test on one host, where the servers have other ports, shows that two services find each other's keys.
# In production they do not: a key that one deletes lives on for the other. Without a port in the other clients' names
# the rings are the same again.
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

debian bookworm libmemcached11=1.1.4-1 libhashkit2=1.1.4-1
npm install --silent hashring@3.2.0 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }
python3 -m venv venv
venv/bin/pip --quiet install uhashring==2.3 || exit 2
cat >ring.js <<'END'
const [servers, keys] = JSON.parse(process.argv[2])
const ring = new (require('hashring'))(servers, 'md5')
console.log(JSON.stringify(keys.map((key) => servers.indexOf(ring.get(key)))))
END
cat >rings.py <<'END'
import ctypes, json, subprocess
from uhashring import HashRing

KETAMA, KETAMA_WEIGHTED = 3, 16 # Of memcached_behavior_t.
library = ctypes.CDLL("libmemcached.so.11")
library.memcached_create.restype = ctypes.c_void_p
keys = [f"key-{number}" for number in range(1000)]
hosts = [f"10.0.0.{number}" for number in range(1, 6)]

def libmemcached(port, behavior):
    ring = ctypes.c_void_p(library.memcached_create(None))
    assert library.memcached_behavior_set(ring, behavior, ctypes.c_uint64(1)) == 0
    for host in hosts:
        assert library.memcached_server_add(ring, host.encode(), ctypes.c_uint16(port)) == 0
    return [library.memcached_generate_hash(ring, key.encode(), ctypes.c_size_t(len(key))) for key in keys]

def uhashring(servers):
    ring = HashRing(servers, hash_fn="ketama")
    return [servers.index(ring.get_node(key)) for key in keys]

def hashring(servers):
    return json.loads(subprocess.check_output(["node", "ring.js", json.dumps([servers, keys])]))

def agree(name, one, other):
    print(f"    {name}: {sum(a == b for a, b in zip(one, other))} of {len(keys)}")

for port in (11212, 11211):
    servers = [f"{host}:{port}" for host in hosts]
    weighted = libmemcached(port, KETAMA_WEIGHTED)
    print(f"port {port}, keys on the same server as in libmemcached with KETAMA_WEIGHTED")
    agree("libmemcached with KETAMA", weighted, libmemcached(port, KETAMA))
    agree("uhashring, host:port", weighted, uhashring(servers))
    agree("hashring, host:port", weighted, hashring(servers))
    agree("uhashring, host", weighted, uhashring(hosts))
    agree("hashring, host", weighted, hashring(hosts))
END

seen=$(LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu venv/bin/python rings.py)
stated="port 11212, keys on the same server as in libmemcached with KETAMA_WEIGHTED
    libmemcached with KETAMA: 206 of 1000
    uhashring, host:port: 1000 of 1000
    hashring, host:port: 1000 of 1000
    uhashring, host: 211 of 1000
    hashring, host: 211 of 1000
port 11211, keys on the same server as in libmemcached with KETAMA_WEIGHTED
    libmemcached with KETAMA: 190 of 1000
    uhashring, host:port: 196 of 1000
    hashring, host:port: 196 of 1000
    uhashring, host: 1000 of 1000
    hashring, host: 1000 of 1000"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
