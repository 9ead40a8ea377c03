//! Checks `targets` and `accept`.

use indexmap::IndexMap;

use super::annotations::annotations;
use super::checker::{Checker, fix};
use super::{clients, members};
use crate::code::Code;
use crate::gap::GapId;
use crate::model::{Accept, Annotations, Fleet, Kubernetes, Pin, Swarm, Targets, UnitSection};
use crate::route;
use crate::spec::allowed::{ENGINES, KUBERNETES, MOVES, NO_OVERLAY};
use crate::spec::source::Route;
use crate::spec::{
    self, AcceptSpec, Access, AnnotationsSpec, FleetSpec, KubernetesSpec, SwarmSpec, TargetsSpec,
};
use crate::target::Target;
use crate::text::names;
use crate::text::units::Version;

/// Parses a docker version. Old versions are years and months: `17.09`.
fn docker_version(text: &str) -> Option<Version> {
    let number = |n: &str| match n.strip_prefix('0') {
        Some(digit) if digit.len() == 1 => digit.to_owned(),
        _ => n.to_owned(),
    };
    Version::parse(&text.split('.').map(number).collect::<Vec<_>>().join("."))
}

pub(super) fn targets(checker: &mut Checker<'_>, spec: Option<TargetsSpec>) -> Option<Targets> {
    let root = route!["targets"];
    let TargetsSpec { kubernetes, fleet, swarm } = spec.unwrap_or_default();
    let targets = Targets {
        kubernetes: kubernetes.map(|k| for_kubernetes(checker, &root.at("kubernetes"), k)),
        fleet: fleet.map(|f| for_fleet(checker, &root.at("fleet"), f)),
        swarm: swarm.map(|s| for_swarm(checker, &root.at("swarm"), s)),
    };
    if !targets.any() {
        if !Target::ALL.into_iter().any(|t| checker.source.has(&root.at(t.name()))) {
            checker.fault_key(Code::NoTargets, &root, "`targets` is empty").fixes.push(fix(
                "name at least one",
                "targets: { kubernetes: { version: \"1.34\", namespace: db } }",
            ));
        }
        return None;
    }
    Some(targets)
}

fn version_of(
    checker: &mut Checker<'_>,
    route: &Route,
    field: &str,
    text: Option<String>,
    line: &str,
) -> Option<Version> {
    let Some(text) = text else {
        checker.missing(route, field, line);
        return None;
    };
    let version = Version::parse(&text);
    if version.is_none() {
        checker
            .fault(Code::VersionUnknown, &route.at(field), format!("`{text}` is not a version"))
            .fixes
            .push(fix("write", line));
    }
    version
}

fn of_objects(checker: &mut Checker<'_>, root: &Route, spec: AnnotationsSpec) -> Annotations {
    let AnnotationsSpec { workload, pod, service } = spec;
    Annotations {
        workload: annotations(checker, &root.at("workload"), workload),
        pod: annotations(checker, &root.at("pod"), pod),
        service: annotations(checker, &root.at("service"), service),
    }
}

fn for_kubernetes(checker: &mut Checker<'_>, root: &Route, spec: KubernetesSpec) -> Kubernetes {
    let KubernetesSpec {
        version,
        namespace,
        access,
        pod,
        container,
        service,
        annotations: of,
        network_policy,
        clients,
        service_account,
    } = spec;
    let line = "version: \"1.34\"";
    let version = version_of(checker, root, "version", version, line).and_then(|v| {
        let known = v.major == 1 && KUBERNETES.contains(&v.minor);
        if !known {
            checker
                .fault(
                    Code::VersionUnknown,
                    &root.at("version"),
                    format!("berthc does not know Kubernetes {v}"),
                )
                .fixes
                .push(fix("it knows versions 1.25 to 1.37", line));
        }
        known.then_some(Version::new(1, v.minor))
    });
    match &namespace {
        Some(ns) => checker.named(
            Code::BadName,
            &root.at("namespace"),
            &format!("the namespace `{ns}`"),
            ns,
            names::namespace,
        ),
        None => checker.missing(root, "namespace", "namespace: databases"),
    }
    let one_pod = access == Some(Access::ReadWriteOncePod);
    if one_pod && version.is_some_and(|v| v < Kubernetes::ONE_POD) {
        let other = checker.source.place(&root.at("version"));
        let message = format!("ReadWriteOncePod needs Kubernetes {}", Kubernetes::ONE_POD);
        let fault = checker.fault(Code::VersionTooOld, &root.at("access"), message);
        fault.related.push((other, "older".into()));
        fault.fixes.push(fix("if the cluster has it", &format!("version: \"{}\"", Kubernetes::ONE_POD)));
    }
    Kubernetes {
        one_pod,
        version: version.unwrap_or(Version::new(1, *KUBERNETES.end())),
        namespace: namespace.unwrap_or_default(),
        pod: pod.unwrap_or_default(),
        container: container.unwrap_or_default(),
        service: service.unwrap_or_default(),
        annotations: of_objects(checker, &root.at("annotations"), of.unwrap_or_default()),
        network_policy: network_policy.unwrap_or(true),
        service_account: service_account.inspect(|name| {
            let (at, what) = (root.at("service_account"), format!("the service account `{name}`"));
            checker.named(Code::BadName, &at, &what, name, names::namespace);
        }),
        clients: clients::clients(checker, &root.at("clients"), clients),
    }
}

/// Checks a pin for one target. Its ids are compared with the ids of `members`.
fn own_pin(checker: &mut Checker<'_>, route: &Route, pin: Option<spec::Pin>) -> Option<Pin> {
    let pin = pin?;
    if checker.source.has(&route!["members", "per"]) {
        checker.fault_key(Code::MembersShape, route, "a `per: node` member is already bound to its node");
        return None;
    }
    if checker.source.has(&route!["members", "pin"]) {
        let first = checker.source.key(&route!["members", "pin"]);
        checker
            .fault_key(Code::PinTable, route, "`members.pin` already applies to every target")
            .related
            .push((first, "here".into()));
        return None;
    }
    let ids = counted_ids(checker);
    members::check_pin(checker, route, pin, ids)
}

/// Returns the ids from the text of the spec, for a pin that is read before the members.
fn counted_ids(checker: &Checker<'_>) -> std::ops::Range<u32> {
    let number = |field: &str| match checker.source.node(&route!["members", field]).map(|n| &n.kind) {
        Some(crate::spec::node::Kind::Int(i)) => u32::try_from(*i).unwrap_or_default().min(1_000_000),
        _ => 0,
    };
    let first = number("first");
    first..first + number("count").min(1000)
}

fn for_fleet(checker: &mut Checker<'_>, root: &Route, spec: FleetSpec) -> Fleet {
    let FleetSpec { version, domain, pin, docker, unit } = spec;
    let line = "version: \"1.0.0\"";
    let version = version_of(checker, root, "version", version, line).filter(|v| {
        let known = (v.major, v.minor) == (0, 13) || (v.major, v.minor) == (1, 0);
        if !known {
            checker
                .fault(Code::VersionUnknown, &root.at("version"), format!("berthc does not know fleet {v}"))
                .fixes
                .push(fix("it knows versions 0.13.0 and 1.0.0", line));
        }
        known
    });
    if let Some(domain) = &domain
        && !names::dns(domain)
    {
        checker.fault(Code::BadAddress, &root.at("domain"), format!("`{domain}` is not a DNS domain"));
    }
    let docker = match docker {
        None => Version::new(17, 9),
        Some(text) => match docker_version(&text) {
            Some(v) if v >= Version::new(17, 6) => v,
            Some(v) => {
                checker
                    .fault(
                        Code::VersionTooOld,
                        &root.at("docker"),
                        format!("docker {text} does not support `--mount`"),
                    )
                    .why
                    .push(
                        "with `-v`, docker creates a missing directory, and a database would start on it"
                            .into(),
                    );
                v
            }
            None => {
                checker.fault(
                    Code::VersionUnknown,
                    &root.at("docker"),
                    format!("`{text}` is not a docker version"),
                );
                Version::new(17, 9)
            }
        },
    };
    let pin = own_pin(checker, &root.at("pin"), pin);
    Fleet {
        version: version.unwrap_or(Version::new(1, 0)),
        domain,
        pin,
        docker,
        unit: unit
            .unwrap_or_default()
            .into_iter()
            .map(|(name, options)| UnitSection {
                name,
                options: options.into_iter().map(|(k, v)| (k, v.0)).collect(),
            })
            .collect(),
    }
}

fn for_swarm(checker: &mut Checker<'_>, root: &Route, spec: SwarmSpec) -> Swarm {
    let SwarmSpec { engine, network, pin, lock, volume, service } = spec;
    let line = "engine: \"29.0\"";
    let major = |text: &String| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let engine = engine.map(|text| if major(&text) { format!("{text}.0") } else { text });
    let engine = version_of(checker, root, "engine", engine, line).filter(|v| {
        let known = (v.major, v.minor) == (20, 10) || ENGINES.contains(&v.major);
        if !known {
            checker
                .fault(Code::VersionUnknown, &root.at("engine"), format!("berthc does not know docker {v}"))
                .fixes
                .push(fix("it knows 20.10 and 23 to 29", line));
        }
        known
    });
    if let Some(network) = &network {
        checker.named(
            Code::BadName,
            &root.at("network"),
            &format!("the network `{network}`"),
            network,
            names::label_value,
        );
        if NO_OVERLAY.contains(&network.as_str()) {
            checker
                .fault(Code::BadName, &root.at("network"), format!("`{network}` is not an overlay network"))
                .fixes
                .push(fix("to use the node's network", "exclusive: { address: node }"));
        }
    }
    let csi = volume.is_some();
    if csi && engine.is_some_and(|e| e < Swarm::CLUSTER_VOLUMES) {
        let other = checker.source.place(&root.at("engine"));
        let fault = checker.fault(
            Code::VersionTooOld,
            &root.at("volume"),
            "cluster volumes need engine 23 or newer on every node",
        );
        fault.related.push((other, "older".into()));
        let line = format!("engine: \"{}\"", Swarm::CLUSTER_VOLUMES);
        fault.fixes.push(fix("if all nodes have it", &line));
    }
    if lock == Some(0) {
        checker.fault(Code::BadPort, &root.at("lock"), "port 0 means any port, so it cannot be a lock");
    }
    let pin = own_pin(checker, &root.at("pin"), pin);
    Swarm {
        engine: engine.unwrap_or(Version::new(*ENGINES.end(), 0)),
        network,
        pin,
        lock,
        csi,
        service: service.unwrap_or_default(),
    }
}

/// Returns the names of the changes whose data was moved.
pub(super) fn moved(checker: &mut Checker<'_>, spec: IndexMap<String, String>) -> Vec<String> {
    let root = route!["moved"];
    for (name, how) in &spec {
        let route = root.at(name);
        let known = name.split_once('/').is_some_and(|(kind, old)| MOVES.contains(&kind) && !old.is_empty());
        if !known {
            let message = format!("`{name}` is not the name of a change");
            checker.fault_key(Code::MovedShape, &route, message).why.push(format!(
                "a name is KIND/OLD, as the error prints it; the kinds are {}",
                MOVES.join(", ")
            ));
        } else if !how.chars().any(char::is_alphanumeric) {
            checker.fault(Code::MovedShape, &route, "a move needs a line that says how the data was moved");
        }
    }
    spec.into_keys().collect()
}

pub(super) fn accept(checker: &mut Checker<'_>, spec: Vec<AcceptSpec>) -> Vec<Accept> {
    let root = route!["accept"];
    let mut all: Vec<Accept> = Vec::new();
    for (i, AcceptSpec { gap, because }) in spec.into_iter().enumerate() {
        let route = root.at(i);
        let Some(gap) = gap else {
            checker.missing(&route, "gap", "gap: swarm/data/move");
            continue;
        };
        if !because.as_ref().is_some_and(|b| b.chars().any(char::is_alphanumeric)) {
            checker
                .fault_key(Code::AcceptShape, &route.at("gap"), "a waiver needs a reason")
                .fixes
                .push(fix("say under `because` why the gap does no harm here", ""));
        }
        let Ok(gap) = gap.parse::<GapId>() else {
            checker.fault(
                Code::AcceptShape,
                &route.at("gap"),
                format!(
                    "`{gap}` is not a gap: a gap starts with one of {}",
                    Target::ALL.map(|t| format!("{}/", t.name())).join(", ")
                ),
            );
            continue;
        };
        if let Some(first) = all.iter().find(|a| a.gap == gap) {
            let first = checker.source.place(&first.route.at("gap"));
            checker
                .fault(Code::AcceptShape, &route.at("gap"), format!("`{gap}` is accepted twice"))
                .related
                .push((first, "first here".into()));
            continue;
        }
        all.push(Accept { gap, because: because.unwrap_or_default(), route });
    }
    all
}
