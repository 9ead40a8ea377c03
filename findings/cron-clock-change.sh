#!/usr/bin/env bash
# robfig/cron 3.0.1 (Kubernetes), hashicorp/cronexpr 1.1.3 (Nomad) and adhocore/gronx 1.20.4 (Go modules), croniter 7.0.0
# (PyPI), croner 11.0.1 and cron-parser 5.10.6 (npm), systemd 252 (Debian 12), for 02:30 each day in Berlin.
#
# Expected: a daily job runs once each day, as in cron of Debian: in spring, where 02:00 to 03:00 does not exist, a little later,
# and in autumn, where it comes twice, once.
# Seen: on the day in spring Kubernetes, Nomad, gronx and systemd do not run it at all; the others run it at 03:00 or 03:30. On
# the day in autumn Kubernetes, Nomad and croniter run it twice; the others take the first 02:30, and gronx the second.
# Why it matters: a job that may run once only, such as one that moves a day's rows, runs twice in Kubernetes and once as a
# systemd timer. A timeZone on the CronJob is what brings it about; in UTC there is no such day.
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

debian bookworm systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2
npm install --silent --no-fund croner@11.0.1 cron-parser@5.10.6 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }
python3 -m venv venv
venv/bin/pip --quiet install croniter==7.0.0 tzdata==2025.2 || exit 2
cat >go.mod <<'END'
module lab
go 1.24
require (
	github.com/adhocore/gronx v1.20.4
	github.com/hashicorp/cronexpr v1.1.3
	github.com/robfig/cron/v3 v3.0.1
)
END
cat >main.go <<'END'
package main

import (
	"fmt"
	"os"
	"time"
	_ "time/tzdata"

	"github.com/adhocore/gronx"
	"github.com/hashicorp/cronexpr"
	"github.com/robfig/cron/v3"
)

func main() {
	berlin, _ := time.LoadLocation("Europe/Berlin")
	from, _ := time.ParseInLocation(time.RFC3339, os.Args[1], berlin)
	from = from.In(berlin)
	schedule, _ := cron.ParseStandard("30 2 * * *")
	nomad := cronexpr.MustParse("30 2 * * *")
	for name, next := range map[string]func(time.Time) time.Time{
		"robfig/cron": schedule.Next,
		"cronexpr":    nomad.Next,
		"gronx": func(last time.Time) time.Time {
			at, _ := gronx.NextTickAfter("30 2 * * *", last, false)
			return at
		},
	} {
		for at, runs := from, 0; runs < 3; runs++ {
			at = next(at)
			fmt.Println(name, at.Format(time.RFC3339))
		}
	}
}
END
(go mod tidy && go build -o go-cron .) >go.log 2>&1 || { cat go.log >&2; exit 2; }
cat >cron.js <<'END'
const { Cron } = require('croner')
const { CronExpressionParser } = require('cron-parser')
const from = process.argv[2]
const croner = new Cron('30 2 * * *', { timezone: 'Europe/Berlin' }).nextRuns(3, new Date(from))
const parsed = CronExpressionParser.parse('30 2 * * *', { tz: 'Europe/Berlin', currentDate: from })
for (let run = 0; run < 3; run++) {
    console.log('croner', croner[run].toISOString())
    console.log('cron-parser', parsed.next().toISOString())
}
END
cat >cron.py <<'END'
import sys
from datetime import datetime
from zoneinfo import ZoneInfo
from croniter import croniter
runs = croniter("30 2 * * *", datetime.fromisoformat(sys.argv[1]).astimezone(ZoneInfo("Europe/Berlin")))
for _ in range(3):
    print("croniter", runs.get_next(datetime).isoformat())
END
# Prints NAME and the runs of each on the day of the change, of lines "name time".
cat >day.py <<'END'
import sys
from datetime import datetime
from zoneinfo import ZoneInfo
runs = {}
for line in sys.stdin:
    name, text = line.split()
    at = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(ZoneInfo("Europe/Berlin"))
    runs.setdefault(name, []).extend([at.strftime("%H:%M %Z")] if at.strftime("%m-%d") == sys.argv[1] else [])
for name in "robfig/cron", "cronexpr", "gronx", "systemd", "croniter", "croner", "cron-parser":
    print(f"    {name}: {', '.join(runs[name]) or 'does not run'}")
END
LIBRARY=$(dirname "$(find "$lab/root" -name 'libsystemd-shared*')")
day() { # Prints who runs when on DAY, asked at FROM.
    {
        ./go-cron "$2"
        node cron.js "$2"
        venv/bin/python cron.py "$2"
        TZ=Europe/Berlin LD_LIBRARY_PATH=$LIBRARY root/usr/bin/systemd-analyze calendar --iterations 3 \
            --base-time "$(TZ=Europe/Berlin date --date "$2" "+%F %T")" "*-*-* 02:30" |
            sed -nE 's/.*\(in UTC\): [A-Z][a-z]+ ([0-9-]+) ([0-9:]+) UTC/systemd \1T\2Z/p'
    } | venv/bin/python day.py "$1"
}

seen=$(
    echo "30 March 2025, from 02:00 to 03:00"
    day 03-30 2025-03-29T12:00:00+01:00
    echo "26 October 2025, from 03:00 to 02:00"
    day 10-26 2025-10-25T12:00:00+02:00
)
stated="30 March 2025, from 02:00 to 03:00
    robfig/cron: does not run
    cronexpr: does not run
    gronx: does not run
    systemd: does not run
    croniter: 03:00 CEST
    croner: 03:00 CEST
    cron-parser: 03:30 CEST
26 October 2025, from 03:00 to 02:00
    robfig/cron: 02:30 CEST, 02:30 CET
    cronexpr: 02:30 CEST, 02:30 CET
    gronx: 02:30 CET
    systemd: 02:30 CEST
    croniter: 02:30 CEST, 02:30 CET
    croner: 02:30 CEST
    cron-parser: 02:30 CEST"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
