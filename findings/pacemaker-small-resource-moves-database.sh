#!/usr/bin/env bash
# Pacemaker 2.1.5 (Debian 12): crm_verify and crm_simulate.
#
# Expected: "the exporter runs with the database" binds the exporter alone. Where the exporter has failed three times on
# node 1, it stops, and the database, whose resource-stickiness is INFINITY, stays where it is.
# Seen: Pacemaker moves the database to the other node, so that the exporter can run. The database stays only with a finite
# score, with influence="false" on the constraint or with critical="false" on the exporter.
# Why it matters: a broken metrics agent, log shipper or backup agent causes a failover of a database that is well. The
# attribute that prevents it is not in the examples, and the stickiness that looks as if it did does not.
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
empty=f2317cad3d54cec5d7d7aa7d0bf35cf8 # The digest of a resource without parameters.
ran() { # The record that the agent TYPE answered CODE to ACTION on NODE, as resource RESOURCE.
    cat <<END
<lrm_resource id="$1" class="ocf" provider="heartbeat" type="$2">
  <lrm_rsc_op id="$1_last_0" operation_key="$1_$3_0" operation="$3" interval="0" call-id="1" rc-code="$4" op-status="0"
    transition-key="1:1:$4:11111111-1111-1111-1111-111111111111" on_node="$5" op-digest="$empty" crm_feature_set="3.16.2"
    transition-magic="0:$4;1:1:$4:11111111-1111-1111-1111-111111111111"/>
</lrm_resource>
END
}
# Both run on node 1, where the exporter's check has failed as often as given.
cluster() {
    cat <<END
<cib validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0" crm_feature_set="3.16.2" have-quorum="1" dc-uuid="1">
  <configuration>
    <crm_config><cluster_property_set id="options"><nvpair id="fencing" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
    <nodes><node id="1" uname="node-1"/><node id="2" uname="node-2"/></nodes>
    <resources>
      <primitive id="db" class="ocf" provider="heartbeat" type="pgsql">
        <meta_attributes id="db-meta"><nvpair id="stay" name="resource-stickiness" value="INFINITY"/></meta_attributes>
      </primitive>
      <primitive id="exporter" class="ocf" provider="heartbeat" type="anything">
        <meta_attributes id="exporter-meta"><nvpair id="tries" name="migration-threshold" value="3"/>$3</meta_attributes>
        <operations><op id="check" name="monitor" interval="10" timeout="10"/></operations>
      </primitive>
    </resources>
    <constraints><rsc_colocation id="beside" rsc="exporter" with-rsc="db" $2/></constraints>
  </configuration>
  <status>
    <node_state id="1" uname="node-1" in_ccm="true" crmd="online" join="member" expected="member">
      <transient_attributes id="1"><instance_attributes id="failures">
        <nvpair id="count" name="fail-count-exporter#monitor_10000" value="$1"/>
        <nvpair id="last" name="last-failure-exporter#monitor_10000" value="1700000000"/>
      </instance_attributes></transient_attributes>
      <lrm id="1"><lrm_resources>$(ran db pgsql start 0 node-1) $(ran exporter anything start 0 node-1)</lrm_resources></lrm>
    </node_state>
    <node_state id="2" uname="node-2" in_ccm="true" crmd="online" join="member" expected="member">
      <lrm id="2"><lrm_resources>$(ran db pgsql monitor 7 node-2) $(ran exporter anything monitor 7 node-2)</lrm_resources></lrm>
    </node_state>
  </status>
</cib>
END
}
actions() { # Says what Pacemaker does with the cluster.
    cluster "$@" >cib.xml
    root/usr/sbin/crm_verify --xml-file cib.xml --verbose || { echo "crm_verify finds faults"; return; }
    root/usr/sbin/crm_simulate --xml-file cib.xml --run |
        sed -nE '/Transition Summary/,/^$/s/^  \* //p' | tr -s " " | paste -sd"," | grep . || echo "nothing"
}

seen=$(
    echo "INFINITY, 2 failures: $(actions 2 'score="INFINITY"' "")"
    echo "INFINITY, 3 failures: $(actions 3 'score="INFINITY"' "")"
    echo "1000, 3 failures: $(actions 3 'score="1000"' "")"
    echo "no influence, 3 failures: $(actions 3 'score="INFINITY" influence="false"' "")"
    echo "not critical, 3 failures: $(actions 3 'score="INFINITY"' '<nvpair id="critical" name="critical" value="false"/>')"
)
stated="INFINITY, 2 failures: nothing
INFINITY, 3 failures: Move db ( node-1 -> node-2 ),Move exporter ( node-1 -> node-2 )
1000, 3 failures: Move exporter ( node-1 -> node-2 )
no influence, 3 failures: Stop exporter ( node-1 ) due to node availability
not critical, 3 failures: Stop exporter ( node-1 ) due to node availability"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
