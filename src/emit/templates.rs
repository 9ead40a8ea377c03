//! berthc's own templates.

/// Name and text of each template.
const TEMPLATES: &[(&str, &str)] = &[
    ("kubernetes/configmap.yaml.j2", include_str!("../../templates/kubernetes/configmap.yaml.j2")),
    ("kubernetes/container.yaml.j2", include_str!("../../templates/kubernetes/container.yaml.j2")),
    ("kubernetes/daemonset.yaml.j2", include_str!("../../templates/kubernetes/daemonset.yaml.j2")),
    ("kubernetes/endpointslice.yaml.j2", include_str!("../../templates/kubernetes/endpointslice.yaml.j2")),
    ("kubernetes/header.yaml.j2", include_str!("../../templates/kubernetes/header.yaml.j2")),
    ("kubernetes/kustomization.yaml.j2", include_str!("../../templates/kubernetes/kustomization.yaml.j2")),
    ("kubernetes/metadata.yaml.j2", include_str!("../../templates/kubernetes/metadata.yaml.j2")),
    ("kubernetes/networkpolicy.yaml.j2", include_str!("../../templates/kubernetes/networkpolicy.yaml.j2")),
    (
        "kubernetes/persistentvolumes.yaml.j2",
        include_str!("../../templates/kubernetes/persistentvolumes.yaml.j2"),
    ),
    ("kubernetes/pod.yaml.j2", include_str!("../../templates/kubernetes/pod.yaml.j2")),
    (
        "kubernetes/poddisruptionbudget.yaml.j2",
        include_str!("../../templates/kubernetes/poddisruptionbudget.yaml.j2"),
    ),
    ("kubernetes/service.yaml.j2", include_str!("../../templates/kubernetes/service.yaml.j2")),
    ("kubernetes/statefulset.yaml.j2", include_str!("../../templates/kubernetes/statefulset.yaml.j2")),
    ("kubernetes/storageclass.yaml.j2", include_str!("../../templates/kubernetes/storageclass.yaml.j2")),
    ("kubernetes/update.yaml.j2", include_str!("../../templates/kubernetes/update.yaml.j2")),
    ("kubernetes/volume.yaml.j2", include_str!("../../templates/kubernetes/volume.yaml.j2")),
    ("fleet/command.j2", include_str!("../../templates/fleet/command.j2")),
    ("fleet/helper.service.j2", include_str!("../../templates/fleet/helper.service.j2")),
    ("fleet/member.service.j2", include_str!("../../templates/fleet/member.service.j2")),
    ("fleet/service.j2", include_str!("../../templates/fleet/service.j2")),
    ("swarm/stack.yml.j2", include_str!("../../templates/swarm/stack.yml.j2")),
    ("certificate.md.j2", include_str!("../../templates/certificate.md.j2")),
];

/// Returns name and text of each of berthc's own templates.
pub fn templates() -> impl Iterator<Item = (&'static str, &'static str)> {
    TEMPLATES.iter().copied()
}
