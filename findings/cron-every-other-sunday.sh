#!/usr/bin/env bash
# cron 3.0pl1 (Debian 12, with libfaketime 0.9.10), robfig/cron 3.0.1 (Go module, that of the Kubernetes CronJob),
# hashicorp/cronexpr 1.1.2 (Go module, that of Nomad's periodic jobs).
#
# Expected: one crontab line means the same days everywhere. With a day of the month and a day of the week, either
# is enough.
# Seen: to cron(8) a field that begins with a star, "*/2" too, makes it both: "0 3 */2 * 0" runs on Sundays with an
# odd date. To Kubernetes and Nomad "*/2" is a list of days: it runs on each odd date and on each Sunday.
# Why it matters: a full backup every other Sunday becomes one on 18 days a month in a CronJob, and no one is told.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
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

debian bookworm cron=3.0pl1-162 libfaketime=0.9.10-2.1
cat >go.mod <<'END'
module lab
go 1.24
require (
	github.com/hashicorp/cronexpr v1.1.2
	github.com/robfig/cron/v3 v3.0.1
)
END
cat >main.go <<'END'
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/hashicorp/cronexpr"
	"github.com/robfig/cron/v3"
)

// Prints whether the LINE runs within two minutes of the TIME.
func main() {
	from, _ := time.Parse(time.DateTime, os.Args[2])
	kubernetes, _ := cron.ParseStandard(os.Args[1])
	nomad := cronexpr.MustParse(os.Args[1])
	soon := func(next time.Time) bool { return next.Sub(from) < 2*time.Minute }
	fmt.Println("Kubernetes", soon(kubernetes.Next(from)), "Nomad", soon(nomad.Next(from)))
}
END
(go mod tidy && go build -o modern .) >go.log 2>&1 || { cat go.log >&2; exit 2; }
cat >inside <<'END'
mkdir -p empty /var/spool/cron
mount -t tmpfs spool /var/spool/cron
mount -t tmpfs run /run
for folder in /etc/cron.d /etc/cron.hourly; do [ ! -d $folder ] || mount --bind empty $folder; done
[ ! -f /etc/crontab ] || mount --bind /dev/null /etc/crontab
mkdir /var/spool/cron/crontabs
echo "$1 touch $PWD/ran" >/var/spool/cron/crontabs/root
chmod 600 /var/spool/cron/crontabs/root
FAKETIME="@$2" LD_PRELOAD=$(find "$PWD/root" -name libfaketime.so.1) timeout 20 root/usr/sbin/cron -f
END

seen=$(
    export TZ=UTC
    line="0 3 */2 * 0"
    for day in "Thursday 2026-12-03" "Sunday 2026-12-06" "Sunday 2026-12-13"; do
        rm -f ran
        unshare --mount bash inside "$line" "${day#* } 02:59:55" >out 2>&1 || true
        echo "$day: cron $([ -e ran ] && echo true || echo false) $(./modern "$line" "${day#* } 02:59:55")"
    done
)
stated="Thursday 2026-12-03: cron false Kubernetes true Nomad true
Sunday 2026-12-06: cron false Kubernetes true Nomad true
Sunday 2026-12-13: cron true Kubernetes true Nomad true"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
