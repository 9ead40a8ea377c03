//! The steps by which an operator moves the data, as commands of each orchestrator.
//!
//! On Kubernetes a set whose claim templates have other names is deleted with its pods: it adopts
//! the pods of a set that was deleted with `--cascade=orphan`, and can then never update them
//! (kubernetes/kubernetes#141876). A volume moves to another claim through its `claimRef`
//! (<https://kubernetes.io/docs/tasks/administer-cluster/change-pv-access-mode-readwriteoncepod/>):
//! a volume that names a claim is bound to it whatever its class
//! (`pkg/controller/volume/persistentvolume/index.go`, `volume/persistentvolume/util.go`).

use std::collections::BTreeSet;

use super::home::{Home, Storage};
use super::kind::{Kind, Pair};
use crate::target::Target;

/// Returns the steps of a change of `service` on the target of `pairs`. `apply` applies its manifests.
pub(super) fn steps((service, apply): (&str, String), kind: Kind, pairs: &[&Pair<'_>]) -> String {
    match pairs.first().map(|p| p.old.target) {
        Some(Target::Kubernetes) => kubernetes(service, apply, kind, pairs),
        Some(Target::Fleet) => FLEET.steps(service, kind, pairs),
        Some(Target::Swarm) => SWARM.steps(service, kind, pairs),
        None => String::new(),
    }
}

/// Returns the commands that stop the containers of `pairs` permanently.
pub(super) fn removed(pairs: &[&Pair<'_>]) -> String {
    match pairs.first().map(|p| p.old.target) {
        Some(Target::Fleet) => FLEET.each(FLEET.end, pairs),
        Some(Target::Swarm) => SWARM.each(SWARM.end, pairs),
        Some(Target::Kubernetes) => each(pairs, |old| {
            Some(format!("kubectl -n {} delete {} --cascade=foreground", old.scope, old.workload))
        }),
        None => String::new(),
    }
}

/// A shell loop over the numbers of members.
const LOOP: (&str, &str) = ("for i in {}; do ", "; done");

/// Returns the command of each member. Commands that differ only in the number become one loop.
fn each(pairs: &[&Pair<'_>], command: impl Fn(&Home) -> Option<String>) -> String {
    each_pair(pairs, LOOP.0, LOOP.1, |p| command(p.old))
}

/// Returns the same as [`each`], for steps that a person takes one member at a time.
fn one_by_one(pairs: &[&Pair<'_>], command: impl Fn(&Pair<'_>) -> Option<String>) -> String {
    each_pair(pairs, "for each i of {}: ", "", command)
}

/// Joins the commands of the members. Commands that differ only in the number appear once, and the
/// numbers replace `{}` in `before`.
fn each_pair(
    pairs: &[&Pair<'_>],
    before: &str,
    after: &str,
    command: impl Fn(&Pair<'_>) -> Option<String>,
) -> String {
    let mut all: Vec<(String, BTreeSet<u32>)> = Vec::new();
    for p in pairs {
        let Some(text) = command(p) else { continue };
        let id = p.old.id();
        let general = id.map_or_else(|| text.clone(), |id| numbered(&text, id));
        let ids: BTreeSet<u32> = id.filter(|_| general != text).into_iter().collect();
        match all.iter_mut().find(|(known, _)| *known == general) {
            Some((_, known)) => known.extend(ids),
            None => all.push((general, ids)),
        }
    }
    let one = |(text, ids): (String, BTreeSet<u32>)| match ids.len() {
        0 => text,
        1 => ids.iter().fold(text, |text, id| text.replace("$i", &id.to_string())),
        _ => {
            let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
            format!("{}{text}{after}", before.replace("{}", &ids.join(" ")))
        }
    };
    all.into_iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Returns `text` with `$i` for the number `id` of a member at the end of a name.
fn numbered(text: &str, id: u32) -> String {
    let id = id.to_string();
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(&id) {
        let (before, after) = rest.split_at(at);
        let after = &after[id.len()..];
        let starts = before.ends_with(['-', '@', '_', '/', '.']);
        let ends = !after.starts_with(|c: char| c.is_ascii_alphanumeric());
        out.push_str(before);
        out.push_str(if starts && ends { "$i" } else { &id });
        rest = after;
    }
    out + rest
}

fn is_host(old: &Home) -> bool {
    matches!(old.storage, Some(Storage::Host { .. }))
}

fn volume(home: &Home) -> Option<&str> {
    home.storage.as_ref()?.volume()
}

fn kubernetes(service: &str, apply: String, kind: Kind, pairs: &[&Pair<'_>]) -> String {
    let Some(first) = pairs.first().map(|p| p.old) else { return String::new() };
    let (ns, set) = (&first.scope, &first.workload);
    let gone = each(pairs, |old| {
        Some(format!("kubectl -n {ns} wait --for=delete pod/{} --timeout=10m", old.member))
    });
    // The names of other pods are not known.
    let end = if first.per_node || !set.starts_with("statefulset/") {
        format!("kubectl -n {ns} delete {set} --cascade=foreground")
    } else {
        format!("kubectl -n {ns} scale {set} --replicas=0; {gone}; kubectl -n {ns} delete {set}")
    };
    // The data of a node stays in its directory when its claim and its volume are deleted.
    let find =
        |claim: &str| format!("pv=$(kubectl -n {ns} get pvc/{claim} -o 'jsonpath={{.spec.volumeName}}')");
    let unbound = |old: &Home| {
        let claim = volume(old)?;
        let delete = format!("kubectl -n {ns} delete pvc/{claim}");
        Some(if is_host(old) { format!("{}; {delete}; kubectl delete pv/$pv", find(claim)) } else { delete })
    };
    let follow = |p: &Pair<'_>| {
        if is_host(p.old) {
            return unbound(p.old);
        }
        let claim = volume(p.old)?;
        let (scope, to) = match p.new {
            Some(new) => (&new.scope, volume(new)?.to_owned()),
            None if kind == Kind::Service => (ns, format!("{}-{service}-{}", p.old.data()?, p.old.id()?)),
            None => return unbound(p.old),
        };
        let bound = format!(
            r#"{{"spec":{{"claimRef":{{"namespace":"{scope}","name":"'{to}'","uid":null,"resourceVersion":null}}}}}}"#
        );
        Some(format!(
            r#"{}; kubectl patch pv/$pv -p '{{"spec":{{"persistentVolumeReclaimPolicy":"Retain"}}}}'; kubectl -n {ns} delete pvc/{claim}; kubectl patch pv/$pv -p '{bound}'"#,
            find(claim)
        ))
    };
    let steps = match kind {
        Kind::Members => vec![
            format!("make these members leave the cluster of {service}"),
            apply,
            "wait until their pods have ended".into(),
            format!("when nobody needs their data: {}", each(pairs, unbound)),
        ],
        Kind::Target => vec![end],
        Kind::Service => vec![
            end,
            each_pair(pairs, LOOP.0, LOOP.1, follow),
            if pairs.iter().any(|p| is_host(p.old)) {
                format!("move each directory to the path that {service} uses")
            } else {
                String::new()
            },
            apply,
        ],
        Kind::Class | Kind::Backend => vec![
            "back up the data".into(),
            format!("kubectl -n {ns} delete {set} --cascade=orphan"),
            format!("kubectl -n {ns} wait --for=delete {set}"),
            apply,
            format!(
                "then one member at a time, each after the last one has its data again: {}",
                one_by_one(pairs, |p| {
                    let claim = volume(p.old)?;
                    let delete = format!("kubectl -n {ns} delete");
                    Some(format!("{delete} pvc/{claim} --wait=false; {delete} pod/{}", p.old.member))
                })
            ),
        ],
        Kind::Host => vec![end, moved(pairs), each(pairs, unbound), apply],
        Kind::Access => vec![end, each(pairs, unbound), apply],
        Kind::Pin => {
            vec![end, "give the node of each member the new label".into(), each(pairs, unbound), apply]
        }
        Kind::Data | Kind::Namespace => vec![end, each_pair(pairs, LOOP.0, LOOP.1, follow), apply],
    };
    joined(steps)
}

/// Returns the commands that move the directories on their nodes.
fn moved(pairs: &[&Pair<'_>]) -> String {
    one_by_one(pairs, |p| {
        let (old, new) = (p.old.storage.as_ref()?, p.new?.storage.as_ref()?);
        let node = if p.old.per_node { "every node".into() } else { format!("the node of {}", p.old.member) };
        Some(match new {
            Storage::Host { path, .. } if is_host(p.old) => format!("on {node}: mv {} {path}", old.words()),
            new => format!("copy {} to {}", old.words(), new.words()),
        })
    })
}

fn joined(steps: Vec<String>) -> String {
    steps.into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join("; ")
}

/// The commands of an orchestrator that runs containers with docker.
struct Docker {
    /// The command that stops one workload until it is started again.
    stop: &'static str,
    /// The command that removes one workload.
    end: &'static str,
    /// The command that starts a workload from its file.
    start: &'static str,
    /// The word for a computer of the cluster.
    host: &'static str,
    /// The step that gives a computer a label.
    label: &'static str,
}

const FLEET: Docker = Docker {
    stop: "fleetctl destroy UNIT",
    end: "fleetctl destroy UNIT",
    start: "fleetctl start FILE",
    host: "machine",
    label: "give the machine of each member the new metadata",
};

const SWARM: Docker = Docker {
    stop: "docker service scale STACK_UNIT=0",
    end: "docker service rm STACK_UNIT",
    start: "docker stack deploy -c FILE STACK",
    host: "node",
    label: "give the node of each member the new label with docker node update --label-add",
};

impl Docker {
    fn each(&self, command: &str, pairs: &[&Pair<'_>]) -> String {
        each(pairs, |old| {
            let command = command.replace("STACK", &old.stack).replace("UNIT", &old.workload);
            Some(command.replace("FILE", &old.file))
        })
    }

    fn steps(&self, service: &str, kind: Kind, pairs: &[&Pair<'_>]) -> String {
        let wait = format!("wait until docker ps shows none of their containers on any {}", self.host);
        let stop = self.each(self.stop, pairs);
        let end = self.each(self.end, pairs);
        let start = self.each(self.start, pairs);
        joined(match kind {
            Kind::Members => vec![
                format!("make these members leave the cluster of {service}"),
                end,
                wait,
                "remove their data when nobody needs it".into(),
            ],
            Kind::Target => vec![end, wait],
            Kind::Service => vec![
                end,
                wait,
                format!(
                    "move each directory on its {}, or copy each volume to the volume with the new name",
                    self.host
                ),
                format!("start the members of {service}"),
            ],
            Kind::Pin => vec![self.label.into(), stop, wait, start],
            Kind::Host => vec![stop, wait, moved(pairs), start],
            Kind::Data | Kind::Backend | Kind::Class | Kind::Namespace | Kind::Access => vec![
                stop,
                wait,
                "create the new volumes, and copy the data of each member in a container that mounts both"
                    .into(),
                start,
            ],
        })
    }
}
