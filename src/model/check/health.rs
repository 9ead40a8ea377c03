//! Checks `health` and `stop`.

use super::checker::{Checker, fix};
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::model::{Check, Health, Probe, Stop};
use crate::route;
use crate::spec::allowed::SIGNALS;
use crate::spec::source::Route;
use crate::spec::{CheckSpec, HealthSpec, Scheme, StopSpec};

/// The default grace period of Kubernetes.
const GRACE: u32 = 30;

pub(super) fn stop(checker: &mut Checker<'_>, spec: StopSpec) -> Stop {
    let root = route!["stop"];
    let StopSpec { before, signal, grace } = spec;
    let grace = grace.map_or(Some(GRACE), |g| checker.duration(&root.at("grace"), &g)).unwrap_or(GRACE);
    if grace == 0 {
        checker
            .fault(
                Code::BadValue,
                &root.at("grace"),
                "with a grace period of 0s, the member is killed at once",
            )
            .why
            .push("Kubernetes would also remove the pod before its containers have stopped".into());
    }
    if let Some(signal) = &signal
        && !SIGNALS.contains(&signal.as_str())
    {
        checker
            .fault(Code::BadSignal, &root.at("signal"), format!("`{signal}` is not a signal"))
            .fixes
            .push(fix("one of", &SIGNALS.join(", ")));
    }
    let before = before.and_then(|b| {
        let at = root.at("before");
        let within = match b.within {
            Some(within) => checker.duration(&at.at("within"), &within),
            None => {
                checker.missing(&at, "within", "within: 20s");
                None
            }
        };
        let run = checker.templates(&at.at("run"), b.run);
        if run.is_empty() {
            checker.missing(&at, "run", "run: [sleep, \"5\"]");
            return None;
        }
        let within = within?;
        if within >= grace {
            let place = checker.source.place(&root.at("grace"));
            checker
                .fault(
                    Code::BeforeExceedsGrace,
                    &at.at("within"),
                    format!("the command may use {within} s, which leaves nothing of the grace period of {grace} s"),
                )
                .related
                .push((place, "the grace period".into()));
        }
        Some((run, within))
    });
    Stop { before, signal, grace }
}

/// Checks `health` of a service whose members have data, or not.
pub(super) fn health(checker: &mut Checker<'_>, spec: HealthSpec, has_data: bool) -> Health {
    let root = route!["health"];
    let HealthSpec { tool, ready, live, start, http, port, scheme, tcp, run, every, timeout, failures } =
        spec;
    let short = CheckSpec { http, port, scheme, tcp, run, every, timeout, failures };
    let written = short.http.is_some() || short.tcp.is_some() || short.run.is_some();
    let stray = short.port.is_some()
        || short.scheme.is_some()
        || short.every.is_some()
        || short.timeout.is_some()
        || short.failures.is_some();
    if ready.is_some() && (written || stray) {
        checker.fault_key(
            Code::HealthShape,
            &root.at("ready"),
            "the check written directly under `health` already is `ready`",
        );
    }
    let ready = match ready {
        Some(ready) => check(checker, &root.at("ready"), ready),
        None if written || stray => check(checker, &root, short),
        None => None,
    };
    let live = live.and_then(|l| check(checker, &root.at("live"), l));
    let start = start.and_then(|s| checker.duration(&root.at("start"), &s));
    if start.is_some() && live.is_none() && !checker.source.has(&root.at("live")) {
        checker
            .fault_key(
                Code::StartWithoutLive,
                &root.at("start"),
                "`start` delays `live`, but there is no `live`",
            )
            .why
            .push("a member that is only not ready is never restarted".into());
    }
    if let Some(live) = &live {
        check_live(checker, live, ready.as_ref(), has_data && !checker.source.has(&root.at("start")));
    }
    Health { tool, ready, live, start }
}

/// Reports a `live` that would restart a member while it recovers, or a member that is only not
/// ready.
fn check_live(checker: &mut Checker<'_>, live: &Check, ready: Option<&Check>, without_start: bool) {
    if without_start {
        let after = live.every.saturating_mul(live.failures);
        checker
            .fault_key(
                Code::LiveWithoutStart,
                &live.route,
                format!("`live` restarts a member that needs more than {after} s to start"),
            )
            .why
            .push("a member that recovers its data answers late; a restart begins the recovery again".into());
        if let Some(fault) = checker.out.last_mut() {
            fault
                .fixes
                .push(fix("under `health`, write the longest time that a start may take", "start: 600s"));
        }
    }
    let texts = |check: &Check| -> Vec<String> { check.run.iter().map(|t| t.text.clone()).collect() };
    if let Some(ready) = ready.filter(|r| r.probe == live.probe && texts(r) == texts(live)) {
        let place = checker.source.key(&live.route);
        let d = Diagnostic::warning(Code::ReadyIsLive, place, "`live` and `ready` are the same check")
            .related(checker.source.key(&ready.route), "`ready`")
            .why(
                "a member that is only not ready, because a peer or its recovery is slow, would be restarted",
            )
            .advice("leave `live` out, or write a check that fails only when the process hangs");
        checker.push(d);
    }
}

fn check(checker: &mut Checker<'_>, route: &Route, spec: CheckSpec) -> Option<Check> {
    let CheckSpec { http, port, scheme, tcp, run, every, timeout, failures } = spec;
    if http.is_none() {
        for (field, there) in [("port", port.is_some()), ("scheme", scheme.is_some())] {
            if there {
                checker.fault_key(
                    Code::HealthShape,
                    &route.at(field),
                    format!("`{field}` belongs to `http`"),
                );
            }
        }
    }
    let probe = match (http, tcp) {
        (Some(_), Some(_)) => {
            checker.fault_key(
                Code::HealthShape,
                &route.at("tcp"),
                "a check has either `http` or `tcp`, not both",
            );
            None
        }
        (Some(path), None) => {
            let good = path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic());
            if !good {
                checker
                    .fault(Code::BadValue, &route.at("http"), format!("`{path}` is not the path of a URL"))
                    .fixes
                    .push(fix("start with /", "http: /health"));
            }
            match port {
                Some(port) => Some(Probe::Http { path, port, scheme: scheme.unwrap_or(Scheme::Http) }),
                None => {
                    checker.missing(route, "port", "port: http");
                    None
                }
            }
        }
        (None, Some(port)) => Some(Probe::Tcp { port }),
        (None, None) => None,
    };
    let run = checker.templates(&route.at("run"), run);
    let time = |this: &mut Checker<'_>, field: &str, text: Option<String>, default| {
        let seconds = text.map_or(Some(default), |t| this.duration(&route.at(field), &t)).unwrap_or(default);
        if seconds == 0 {
            this.fault(Code::BadValue, &route.at(field), format!("`{field}` must be at least 1s"));
        }
        seconds
    };
    let every = time(checker, "every", every, 10);
    let timeout = time(checker, "timeout", timeout, 3);
    let failures = failures.unwrap_or(3);
    if failures == 0 {
        checker.fault(Code::BadValue, &route.at("failures"), "`failures` must be at least 1");
    }
    if probe.is_none() && run.is_empty() {
        if !["http", "tcp", "run"].iter().any(|f| checker.source.has(&route.at(f))) {
            checker
                .fault_key(Code::HealthShape, route, "a check needs `http`, `tcp` or `run`")
                .fixes
                .push(fix("for example", "tcp: client"));
        }
        return None;
    }
    Some(Check { probe, run, every, timeout, failures, route: route.clone() })
}
