#!/usr/bin/env bash
# named-compilezone of BIND 9.18.49, nsd-checkzone of NSD 4.6.1, ldns-read-zone of ldns 1.8.3 (Debian 12),
# dnspython 2.7.0 (PyPI; 2.9.2 reads the file as BIND does), github.com/miekg/dns 1.1.68 (Go module, that of CoreDNS).
#
# Expected: `$ORIGIN orders`, without a dot at its end, is relative as each name of a zone file is. Below it "db-0" is
# db-0.orders.example.
# Seen: so it is in BIND and CoreDNS's library. ldns-read-zone makes of it "db-0.orders.", a name outside the zone, with
# status 0. dnspython takes it for such a name too, and drops the record without an error. NSD refuses the file.
# Why it matters: the names of the members stand below such a line. A zone that BIND serves loses all of them on its
# way through a tool with ldns or dnspython, and a second server with NSD does not load it.
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

debian bookworm bind9-utils=1:9.18.49-1~deb12u1 bind9-libs=1:9.18.49-1~deb12u1 libuv1=1.44.2-1+deb12u1 \
    libjson-c5=0.16-2 libmaxminddb0=1.7.1-1 libjemalloc2=5.3.0-1 libprotobuf-c1=1.4.1-1+b1 libfstrm0=0.6.1-1 \
    liblmdb0=0.9.24-1 libnghttp2-14=1.52.0-1+deb12u3 nsd=4.6.1-1 libevent-2.1-7=2.1.12-stable-8 \
    ldnsutils=1.8.3-1+b1 libldns3=1.8.3-1+b1
python3 -m venv venv
venv/bin/pip --quiet install dnspython==2.7.0 || exit 2
cat >go.mod <<'END'
module lab
go 1.24
require github.com/miekg/dns v1.1.68
END
cat >main.go <<'END'
package main

import (
	"fmt"
	"os"

	"github.com/miekg/dns"
)

func main() {
	file, err := os.Open("zone")
	if err != nil {
		panic(err)
	}
	parser := dns.NewZoneParser(file, "example.", "zone")
	for record, ok := parser.Next(); ok; record, ok = parser.Next() {
		fmt.Println(record)
	}
	if parser.Err() != nil {
		fmt.Println(parser.Err())
		os.Exit(1)
	}
}
END
(go mod tidy && go build -o go-zone .) >go.log 2>&1 || { cat go.log >&2; exit 2; }
cat >zone <<'END'
$TTL 60
$ORIGIN example.
@ SOA ns admin 1 3600 600 86400 60
@ NS ns
ns A 10.0.0.1
$ORIGIN orders
db-0 A 10.0.0.2
END
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu
read_zone() { # NAME COMMAND: prints the name that has the address 10.0.0.2.
    local name=$1
    shift
    "$@" >said 2>&1 && status="status 0" || status=refused
    record=$(sed -nE 's/^([^[:space:]]+).*[[:space:]]10\.0\.0\.2$/\1/p' said)
    echo "$name: $status, ${record:-no record}"
}

seen=$(
    read_zone BIND root/usr/bin/named-compilezone -o - example zone
    read_zone dnspython venv/bin/python -c '
import dns.zone
print(dns.zone.from_file("zone", "example.", relativize=False).to_text(relativize=False))'
    read_zone miekg/dns ./go-zone
    read_zone ldns root/usr/bin/ldns-read-zone zone
    read_zone NSD root/usr/sbin/nsd-checkzone -p example zone
)
stated="BIND: status 0, db-0.orders.example.
dnspython: status 0, no record
miekg/dns: status 0, db-0.orders.example.
ldns: status 0, db-0.orders.
NSD: refused, no record"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
