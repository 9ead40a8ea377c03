#!/usr/bin/env bash
# skopeo 1.9.3 and umoci 0.4.7 of Debian 12.
#
# Expected: a copy of an image is the same image. What its config says of the service stays, or the tool warns.
# Seen: `skopeo copy` from Docker's form to an OCI layout drops Healthcheck, Shell and OnBuild, with status 0 and no
# warning. The way back does not bring them again. `umoci config`, for one more label, drops them from a layout that has
# them. A copy within one form keeps them.
# Why it matters: an image that goes to a node without a registry, or gets a label, has no health check any more. Swarm
# counts its task as running from the start, and an update goes on to the next member at once.
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

debian bookworm skopeo=1.9.3+ds1-1+b10 umoci=0.4.7+ds-3+b7 libgpgme11=1.18.0-3+b1 libassuan0=2.5.5-5
export LD_LIBRARY_PATH=$lab/root/usr/lib/x86_64-linux-gnu PATH=$lab/root/usr/bin:$PATH
cat >image.py <<'END'
# Writes the same image as docker-archive:docker.tar and as the OCI layout oci-with.
import hashlib, io, json, os, tarfile

def archive(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()

def digest(data):
    return hashlib.sha256(data).hexdigest()

def blob(kind, data):
    open(f"oci-with/blobs/sha256/{digest(data)}", "wb").write(data)
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest(data)}", "size": len(data)}

layer = archive({"hello": b"hello"})
config = json.dumps({
    "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest(layer)}"]},
    "config": {"Cmd": ["db"], "StopSignal": "SIGINT", "Healthcheck": {"Test": ["CMD", "db-ready"]},
               "Shell": ["/bin/bash", "-c"], "OnBuild": ["RUN setup"]},
    "history": [{"created_by": "lab"}],
}).encode()
manifest = [{"Config": "config.json", "RepoTags": ["db:1"], "Layers": ["layer.tar"]}]
open("docker.tar", "wb").write(archive(
    {"config.json": config, "layer.tar": layer, "manifest.json": json.dumps(manifest).encode()}))
os.makedirs("oci-with/blobs/sha256")
manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": blob("config.v1+json", config), "layers": [blob("layer.v1.tar", layer)]}
entry = blob("manifest.v1+json", json.dumps(manifest).encode())
entry["annotations"] = {"org.opencontainers.image.ref.name": "1"}
json.dump({"schemaVersion": 2, "manifests": [entry]}, open("oci-with/index.json", "w"))
json.dump({"imageLayoutVersion": "1.0.0"}, open("oci-with/oci-layout", "w"))
END
python3 image.py
copy() { skopeo --insecure-policy copy "$1" "$2" >>log 2>&1 || { cat log >&2; exit 2; }; }
row() { # Prints the NAME, and the fields of the config of IMAGE.
    skopeo inspect --config --raw "$2" >config
    echo "$1: $(python3 -c 'import json; print(*sorted(json.load(open("config"))["config"]))')"
}

seen=$(
    row "docker archive" docker-archive:docker.tar
    copy docker-archive:docker.tar oci:oci:1
    row "copied to OCI" oci:oci:1
    copy oci:oci:1 docker-archive:back.tar:db:1
    row "and back" docker-archive:back.tar
    copy docker-archive:docker.tar docker-archive:same.tar:db:1
    row "copied to a docker archive" docker-archive:same.tar
    row "OCI layout with the fields" oci:oci-with:1
    copy oci:oci-with:1 oci:oci-copy:1
    row "copied to OCI" oci:oci-copy:1
    umoci config --image oci-with:1 --config.label team=orders >>log 2>&1 || { cat log >&2; exit 2; }
    row "with a label of umoci" oci:oci-with:1
    grep -iE "warn|health" log || echo "no warning"
)
stated="docker archive: Cmd Healthcheck OnBuild Shell StopSignal
copied to OCI: Cmd StopSignal
and back: Cmd StopSignal
copied to a docker archive: Cmd Healthcheck OnBuild Shell StopSignal
OCI layout with the fields: Cmd Healthcheck OnBuild Shell StopSignal
copied to OCI: Cmd Healthcheck OnBuild Shell StopSignal
with a label of umoci: Cmd Labels StopSignal
no warning"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
