#!/usr/bin/env bash
# Pacemaker 2.1.5 (Debian 12): crm_verify and crm_simulate.
#
# Expected: a timeout that Pacemaker cannot read is a fault to crm_verify; ISO 8601 is fine, as it is for an interval.
# Seen: "2d" and "PT5M" are taken without a fault and give 20 seconds, the default; a fraction is cut: "1.5m" is one minute
# and "0.5h" nothing at all. For interval "PT5M" is five minutes.
# Why it matters: a database that needs five minutes to stop is given 20 seconds, and its node is then fenced.
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
# The resource db with OPERATION.
cluster() {
    cat <<END
<cib validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0" crm_feature_set="3.16.2" have-quorum="1" dc-uuid="1">
  <configuration>
    <crm_config><cluster_property_set id="options"><nvpair id="fencing" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
    <nodes><node id="1" uname="node-1"/></nodes>
    <resources>
      <primitive id="db" class="ocf" provider="heartbeat" type="pgsql"><operations>$1</operations></primitive>
    </resources>
    <constraints/>
  </configuration>
  <status>
    <node_state id="1" uname="node-1" in_ccm="true" crmd="online" join="member" expected="member">
      <lrm id="1"><lrm_resources/></lrm>
    </node_state>
  </status>
</cib>
END
}
# Says what crm_verify finds, and milliseconds of ATTRIBUTE in the transition to be run.
judge() {
    root/usr/sbin/crm_verify --xml-file cib.xml --verbose && faults="no fault" || faults="faults"
    root/usr/sbin/crm_simulate --xml-file cib.xml --run --save-graph graph.xml >said 2>&1
    echo "$faults, $(tr '\n' ' ' <graph.xml | grep -oE "operation=\"$1\".*" | grep -oE "CRM_meta_$2=\"[0-9]+\"" | head -1)"
}

seen=$(
    for timeout in 300 5m 5min 300000ms 1h PT5M 2d 1.5m 0.5h; do
        cluster "<op id='start' name='start' interval='0' timeout='$timeout'/>" >cib.xml
        echo "timeout $timeout: $(judge start timeout)"
    done
    cluster "<op id='monitor' name='monitor' interval='PT5M' timeout='60'/>" >cib.xml
    echo "interval PT5M: $(judge monitor interval)"
)
stated='timeout 300: no fault, CRM_meta_timeout="300000"
timeout 5m: no fault, CRM_meta_timeout="300000"
timeout 5min: no fault, CRM_meta_timeout="300000"
timeout 300000ms: no fault, CRM_meta_timeout="300000"
timeout 1h: no fault, CRM_meta_timeout="3600000"
timeout PT5M: no fault, CRM_meta_timeout="20000"
timeout 2d: no fault, CRM_meta_timeout="20000"
timeout 1.5m: no fault, CRM_meta_timeout="60000"
timeout 0.5h: no fault, CRM_meta_timeout="0"
interval PT5M: no fault, CRM_meta_interval="300000"'
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
