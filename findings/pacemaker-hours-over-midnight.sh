#!/usr/bin/env bash
# crm_verify and crm_simulate of Pacemaker 2.1.5 (Debian 12).
#
# Expected: a rule with `date_spec hours="22-6"` holds from 22 to 6 o'clock, or is an error.
# Seen: it holds at no hour, and crm_verify finds no fault in it. "22-23" and "0-6" in two expressions do.
# Why it matters: a rule that keeps the database from moving, or from a node, "at night" does nothing, and the
# cluster acts at night as by day. The same is true of weekdays="6-1".
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

debian bookworm pacemaker-cli-utils=2.1.5-1+deb12u1 pacemaker-common=2.1.5-1+deb12u1 libcib27=2.1.5-1+deb12u1 \
    libcrmcommon34=2.1.5-1+deb12u1 libcrmservice28=2.1.5-1+deb12u1 liblrmd28=2.1.5-1+deb12u1 \
    libpacemaker1=2.1.5-1+deb12u1 libpe-rules26=2.1.5-1+deb12u1 libpe-status28=2.1.5-1+deb12u1 \
    libstonithd26=2.1.5-1+deb12u1 libqb100=2.0.6-2 libpils2=1.0.12-21+b2 libltdl7=2.4.7-7~deb12u1
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu:$lab/root/usr/lib TZ=UTC
export PCMK_schema_directory=$lab/root/usr/share/pacemaker CIB_shadow_dir=$lab
# Keeps db from each node at HOURS.
rule() {
    cat <<END
<cib validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0" crm_feature_set="3.16.2" have-quorum="1" dc-uuid="1">
  <configuration>
    <crm_config><cluster_property_set id="options"><nvpair id="fencing" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
    <nodes><node id="1" uname="node-1"/></nodes>
    <resources><primitive id="db" class="ocf" provider="heartbeat" type="pgsql"/></resources>
    <constraints>
      <rsc_location id="never-at-night" rsc="db">
        <rule id="night" score="-INFINITY">
          <date_expression id="when" operation="date_spec"><date_spec id="spec" $1/></date_expression>
        </rule>
      </rsc_location>
    </constraints>
  </configuration>
  <status>
    <node_state id="1" uname="node-1" in_ccm="true" crmd="online" join="member" expected="member">
      <lrm id="1"><lrm_resources/></lrm>
    </node_state>
  </status>
</cib>
END
}

seen=$(
    # Of 5 December 2026, a Saturday.
    for when in 'hours="8-17"' 'hours="22-23"' 'hours="22-6"' 'weekdays="5-7"' 'weekdays="6-1"'; do
        rule "$when" >cib.xml
        root/usr/sbin/crm_verify --xml-file cib.xml --verbose && faults="no fault" || faults="faults"
        held=
        for hour in 03 12 23; do
            root/usr/sbin/crm_simulate --xml-file cib.xml --set-datetime "2026-12-05 $hour:30:00Z" --run >out
            grep -q "Start .*db" out || held+=" $hour:30"
        done
        echo "$when: $faults, holds at${held:- no hour}"
    done
)
stated='hours="8-17": no fault, holds at 12:30
hours="22-23": no fault, holds at 23:30
hours="22-6": no fault, holds at no hour
weekdays="5-7": no fault, holds at 03:30 12:30 23:30
weekdays="6-1": no fault, holds at no hour'
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
