//! Tests the storage behind mounts.

use berthc::backend::Fences;

use super::{Missing, Source, World, controller, deployment, one, read, stateful};

const POD: &str = "containers: [{name: db, image: own/db, volumeMounts: [{name: data, mountPath: /d}]}]\n";

fn template(spec: &str) -> String {
    format!(
        "replicas: 2\nordinals: {{start: 3}}\nvolumeClaimTemplates: [{{metadata: {{name: data}}, spec: {{{spec}}}}}]"
    )
}

fn class(name: &str, provisioner: &str) -> String {
    format!(
        "---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {{name: {name}}}\nprovisioner: {provisioner}\n"
    )
}

fn volume(name: &str, spec: &str) -> String {
    format!("---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n")
}

fn claim(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"
    )
}

/// Returns the sources of each member of the first workload.
fn sources(world: &World) -> Vec<Vec<Source>> {
    let members = &world.workloads[0].members;
    members.iter().map(|m| m.mounts.iter().map(|m| m.source.clone()).collect()).collect()
}

fn host(path: &str, missing: Missing) -> Source {
    Source::host(path.into(), missing)
}

#[test]
fn a_local_volume_of_one_pod_is_no_host_path_of_one_pod() {
    let one_pod = |kind: &str, mode: &str| {
        let node = "nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: k, operator: In, values: [v]}]}]}}";
        let own = "claimRef: {namespace: default, name: data-db-3}";
        let spec = template(&format!("storageClassName: c, accessModes: [{mode}]"));
        let volume = volume("v", &format!("storageClassName: c, {kind}, {node}, {own}"));
        let world = read(&format!("{}{volume}", stateful(&spec, POD)));
        let all: Vec<Source> = sources(&world).into_iter().flatten().collect();
        let local = |s: &&Source| matches!(s, Source::Host { .. });
        match all.iter().find(local).unwrap_or_else(|| panic!("{all:?}")) {
            Source::Host { one_pod, .. } => one_pod.is_some(),
            _ => false,
        }
    };
    assert!(one_pod("local: {path: /d}", "ReadWriteOncePod"));
    assert!(!one_pod("local: {path: /d}", "ReadWriteOnce"));
    assert!(!one_pod("hostPath: {path: /d, type: Directory}", "ReadWriteOncePod"));
}

#[test]
fn names_modes_and_fences_of_claims_are_read() {
    let fence = |provisioner: &str, modes: &str| {
        let spec = template(&format!("storageClassName: c, accessModes: [{modes}]"));
        let world = read(&format!("{}{}", stateful(&spec, POD), class("c", provisioner)));
        assert_eq!(world.unread, []);
        let Source::Volume { name, fences, one_pod, missing, .. } = sources(&world)[1][0].clone() else {
            panic!()
        };
        assert_eq!((name.as_str(), missing), ("claim default/data-db-4", Missing::Refused));
        (fences, one_pod.is_some())
    };
    assert_eq!(fence("ebs.csi.aws.com", "ReadWriteOncePod"), (Fences::Always, true));
    assert_eq!(fence("kubernetes.io/gce-pd", "ReadWriteOnce"), (Fences::Always, false));
    assert_eq!(fence("rbd.csi.ceph.com", "ReadWriteOnce"), (Fences::WhileConnected, false));
    assert_eq!(fence("nobody.example.com", "ReadWriteOnce"), (Fences::WhileConnected, false));
    assert_eq!(fence("ebs.csi.aws.com", "ReadWriteMany"), (Fences::Never, false));
    assert_eq!(fence("cluster.local/nfs-subdir", "ReadWriteOnce"), (Fences::Never, false));
    assert_eq!(fence("rancher.io/local-path", "ReadWriteOnce"), (Fences::Always, false));
}

#[test]
fn claims_that_are_deleted_with_their_pods_lose_data() {
    let spec = format!(
        "{}\npersistentVolumeClaimRetentionPolicy: {{whenScaled: Delete}}",
        template("accessModes: [ReadWriteOncePod]")
    );
    let world = read(&stateful(&spec, POD));
    assert!(matches!(sources(&world)[0][0], Source::Volume { missing: Missing::Created, .. }));
}

#[test]
fn reserved_local_volumes_are_directories_of_their_nodes() {
    let node = |n: u32| {
        format!(
            "nodeAffinity: {{required: {{nodeSelectorTerms: [{{matchExpressions: [{{key: db, operator: In, values: [\"{n}\"]}}]}}]}}}}"
        )
    };
    let kept = |n: u32| {
        format!(
            "storageClassName: c, claimRef: {{namespace: default, name: data-db-{n}}}, local: {{path: /mnt/db-{n}/}}, {}",
            node(n)
        )
    };
    let text = stateful(&template("storageClassName: c, accessModes: [ReadWriteOnce]"), POD)
        + &class("c", "kubernetes.io/no-provisioner")
        + &volume("b", &kept(4))
        + &volume("a", &kept(3));
    let world = read(&text);
    assert_eq!((world.unread.len(), world.findings.len()), (0, 0), "{:?}", world.findings);
    assert_eq!(
        sources(&world),
        [[host("/mnt/db-3", Missing::Refused)], [host("/mnt/db-4", Missing::Refused)]]
    );
    let wants: Vec<&str> = world.workloads[0].members.iter().map(|m| m.wants[0].values[0].as_str()).collect();
    assert_eq!(wants, ["3", "4"]);
    // The volumes are not reserved, so the controller chooses the claim of each volume.
    let free = |n: u32| format!("storageClassName: c, local: {{path: /mnt/db-{n}}}, {}", node(n));
    let text = stateful(&template("storageClassName: c, accessModes: [ReadWriteOnce]"), POD)
        + &volume("a", &free(1))
        + &volume("b", &free(2));
    let world = read(&text);
    assert_eq!(
        sources(&world),
        [[host("/mnt/db-1", Missing::Refused)], [host("/mnt/db-2", Missing::Refused)]]
    );
    assert!(world.unread.len() == 2 && world.unread[0].what.contains("not fixed"));
}

#[test]
fn all_pods_of_a_deployment_share_its_claim() {
    let pod = format!("{POD}volumes: [{{name: data, persistentVolumeClaim: {{claimName: store}}}}]\n");
    let bare = read(&deployment("replicas: 2", &pod));
    assert!(bare.unread.len() == 1 && bare.unread[0].what.contains("not in the files"));
    let one_claim = |s: &Source| matches!(s, Source::Volume { name, .. } if name == "claim default/store");
    assert!(sources(&bare).iter().all(|m| one_claim(&m[0])) && sources(&bare).len() == 2);
    // Only one volume has the class, so the claim gets this volume.
    let text = deployment("", &pod)
        + &claim("store", "storageClassName: manual, accessModes: [ReadWriteOnce]")
        + &volume("v", "storageClassName: manual, hostPath: {path: /mnt/data}");
    let world = read(&text);
    assert_eq!((sources(&world), world.unread.len()), (vec![vec![host("/mnt/data", Missing::Created)]], 0));
    let text = deployment("", &pod)
        + &claim("store", "volumeName: v, accessModes: [ReadWriteOnce]")
        + &volume("v", "csi: {driver: ebs.csi.aws.com, volumeHandle: vol-1}");
    let Source::Volume { name, fences, .. } = sources(&read(&text))[0][0].clone() else { panic!() };
    assert_eq!((name.as_str(), fences), ("ebs.csi.aws.com vol-1", Fences::Always));
}

#[test]
fn host_paths_are_directories_of_the_node() {
    let path = |kind: &str, mount: &str| {
        let pod = format!(
            "containers: [{{name: db, image: own/db, env: [{{name: N, valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}}}], \
             volumeMounts: [{{name: data, mountPath: /d{mount}}}]}}]\nvolumes: [{{name: data, hostPath: {{path: /mnt//d1/{kind}}}}}]\n"
        );
        pod
    };
    let of = |pod: &str| sources(&read(&controller("apps/v1", "DaemonSet", "", pod))).remove(0);
    assert_eq!(of(&path("", "")), [host("/mnt/d1", Missing::Created)]);
    assert_eq!(of(&path(", type: ''", "")), [host("/mnt/d1", Missing::Created)]);
    assert_eq!(of(&path(", type: Directory", "")), [host("/mnt/d1", Missing::Refused)]);
    assert_eq!(
        of(&path(", type: DirectoryOrCreate", ", subPath: x/")),
        [host("/mnt/d1/x", Missing::Created)]
    );
    assert_eq!(of(&path("", ", readOnly: true")), []);
    // Each pod of a Deployment has its own directory, and its successor has another one. A pod of a
    // StatefulSet finds its directory again.
    assert_eq!(of(&path("", ", subPathExpr: $(N)")), []);
    let numbered = sources(&read(&stateful("replicas: 2", &path("", ", subPathExpr: $(N)"))));
    assert_eq!(
        numbered,
        [[host("/mnt/d1/db-0", Missing::Created)], [host("/mnt/d1/db-1", Missing::Created)]]
    );
}

#[test]
fn data_without_a_durable_mount_is_ephemeral() {
    let ephemeral = |container: &str, volumes: &str| {
        let workload =
            one(&deployment("", &format!("containers: [{{name: db, {container}}}]\nvolumes: [{volumes}]\n")));
        workload.members[0]
            .mounts
            .iter()
            .filter(|m| m.source == Source::Ephemeral)
            .map(|m| m.target.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ephemeral("image: docker.io/library/mysql:8@sha256:00", ""), ["/var/lib/mysql"]);
    let mount = "image: 'registry:5000/bitnami/postgresql:16', volumeMounts: [{name: v, mountPath: /bitnami/postgresql/}]";
    assert_eq!(ephemeral(mount, "{name: v, emptyDir: {}}"), ["/bitnami/postgresql/data"]);
    assert!(ephemeral(mount, "{name: v, hostPath: {path: /mnt/pg}}").is_empty());
    assert_eq!(ephemeral("image: confluentinc/cp-kafka:7", ""), ["/var/lib/kafka/data"]);
    assert!(ephemeral("image: 'prom/mysqld-exporter'", "").is_empty());
    assert!(ephemeral("image: mysql:8, command: [sleep, infinity]", "").is_empty());
    assert!(ephemeral("image: mysql:8, command: [sh, -c, 'mysqldump --all']", "").is_empty());
    assert_eq!(ephemeral("image: mysql:8, args: [--server-id=1]", ""), ["/var/lib/mysql"]);
}

#[test]
fn two_volumes_reserved_for_one_claim_are_reported() {
    let set = stateful(&template("storageClassName: c, accessModes: [ReadWriteOnce]"), POD);
    let reserved = |name: &str, claim: &str| {
        volume(name, &format!("claimRef: {{{claim}}}, nfs: {{server: nas, path: /{name}}}"))
    };
    let codes = |volumes: &[(&str, &str)]| {
        let volumes: String = volumes.iter().map(|(name, claim)| reserved(name, claim)).collect();
        let all = super::told(&read(&format!("{set}{volumes}")));
        all.into_iter().filter(|t| t.contains("rule-matches-nothing")).collect::<Vec<_>>()
    };
    let (a, b) = ("namespace: default, name: data-db-3", "namespace: default, name: data-db-4");
    assert_eq!(codes(&[("a", a), ("b", b)]), Vec::<String>::new());
    // The second volume is in the next document.
    let two = codes(&[("a", a), ("b", a)]);
    assert!(matches!(&two[..], [one] if one.starts_with("violation ")), "{two:?}");
    let elsewhere = codes(&[("a", "namespace: prod, name: data-db-3")]);
    assert!(matches!(&elsewhere[..], [one] if one.starts_with("violation ")), "{elsewhere:?}");
    let nobody = codes(&[("a", "namespace: default, name: data-old-3")]);
    assert!(matches!(&nobody[..], [one] if one.starts_with("note ")), "{nobody:?}");
}
