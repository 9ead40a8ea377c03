#!/usr/bin/env bash
# systemd-cron 1.15.19, cron 3.0pl1, with systemd 252 and libfaketime 0.9.10, of Debian 12. Needs root.
#
# Expected: systemd-cron makes of a crontab line a timer that elapses when cron(8) runs the line.
# Seen: with a day of the month and a day of the week cron takes either, and the timer wants both: "the 1st and each
# Sunday" elapses for the first time in August. Of the days "5-7", Friday to Sunday to cron, the timer keeps none and
# elapses each day. One line in a log says so.
# Why it matters: the package takes cron's place and reads its files. After the exchange the full backup of each
# Sunday is made once or twice a year.
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

debian bookworm systemd-cron=1.15.19-5 cron=3.0pl1-162 systemd=252.39-1~deb12u2 \
    libsystemd-shared=252.39-1~deb12u2 libfaketime=0.9.10-2.1
private=$(dirname "$(find "$lab/root" -name 'libsystemd-shared*')")
cat >empty-node <<'END'
mount -t tmpfs run /run
mount -t tmpfs spool /var/spool
mkdir -p /run/systemd /var/spool/cron/crontabs empty
for folder in /etc/cron.d /etc/cron.hourly; do [ ! -d $folder ] || mount --bind empty $folder; done
for file in /etc/crontab /etc/anacrontab; do [ ! -f $file ] || mount --bind /dev/null $file; done
echo "$line touch $PWD/ran" >/var/spool/cron/crontabs/root
chmod 600 /var/spool/cron/crontabs/root
END
export line
cron_at() { # Says whether cron runs the line on the DAY at 03:00.
    rm -f ran
    FAKETIME="@$1 02:59:55" unshare --mount bash -c '. ./empty-node
        LD_PRELOAD=$(find "$PWD/root" -name libfaketime.so.1) timeout 15 root/usr/sbin/cron -f' >>log 2>&1 || true
    echo "    cron on $(date -d "$1" +"%a %F"): $([ -e ran ] && echo runs || echo "does not run")"
}
timer() { # Prints the timer for the line, and its next days.
    rm -rf timers && mkdir timers
    unshare --mount bash -c '. ./empty-node
        /usr/bin/python3 "$(find "$PWD/root" -name systemd-crontab-generator)" timers' >>log 2>&1 || true
    calendar=$(sed -n 's/^OnCalendar= *//p' timers/*.timer)
    echo "    timer: $calendar"
    LD_LIBRARY_PATH=$private systemd-analyze calendar --base-time "2026-12-01 12:00" --iterations 3 "$calendar" |
        sed -nE 's/^.*(elapse|Iter. #.): (...) ([0-9-]+) .*/        \2 \3/p'
}

seen=$(
    export TZ=UTC
    line="0 3 1 * 0"
    echo "$line"
    cron_at 2026-12-06
    timer
    line="0 3 * * 5-7"
    echo "$line"
    cron_at 2026-12-03
    cron_at 2026-12-04
    timer
)
stated="0 3 1 * 0
    cron on Sun 2026-12-06: runs
    timer: Sun *-*-1 3:0:00
        Sun 2027-08-01
        Sun 2028-10-01
        Sun 2029-04-01
0 3 * * 5-7
    cron on Thu 2026-12-03: does not run
    cron on Fri 2026-12-04: runs
    timer: *-*-* 3:0:00
        Wed 2026-12-02
        Thu 2026-12-03
        Fri 2026-12-04"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
