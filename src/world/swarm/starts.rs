//! Finds tasks that never start: restarts that end, more tasks than one node can hold, checks that kill
//! a starting server, configs that cannot change.

use super::identity::{program_texts, target};
use super::page::{Page, external};
use crate::finding::{Level, codes};
use crate::images::{By, Software};
use crate::text::duration;
use crate::text::yaml::Value;
use crate::world::checks;
use crate::world::{Kind, Missing, Order, Source, Workload};

/// The time in seconds that a database may need for a first start or a recovery, until its check passes.
const RECOVERY: u32 = 120;

/// Reports what keeps the tasks of a service from ever starting.
pub fn check(page: &mut Page<'_, '_>, service: &Value<'_>, workload: &Workload, software: Option<&Software>) {
    if page.machine {
        return heard(page, service, workload);
    }
    restart(page, service, workload, software);
    room(page, service, workload);
    if software.is_some_and(|s| !s.cache) {
        recovery(page, service, workload);
    }
    checked(page, service, workload);
    heard(page, service, workload);
}

/// Reports a check that never passes: Swarm stops the task and starts another, again and again (swarmkit
/// `agent/exec/dockerapi/controller.go`, `checkHealth`).
fn checked(page: &mut Page<'_, '_>, service: &Value<'_>, workload: &Workload) {
    let Some(test) = service.get("healthcheck").filter(enabled).and_then(|c| c.get("test")) else { return };
    let image = service.get("image").and_then(|i| Page::quiet(&i)).unwrap_or_default();
    let all: Vec<String> = match Page::quiet(&test) {
        Some(line) => vec![line],
        None => test.items().iter().filter_map(Page::quiet).skip(1).collect(),
    };
    let words: Vec<&str> = all.iter().map(String::as_str).collect();
    let software = workload.software.as_ref().filter(|_| whole(service));
    let deaf = |port: &u16| software.is_some_and(|s| checks::deaf(&s.name, *port, &program_texts(service)));
    let (why, fix) = if let Some(tool) = checks::lacking(page.images, &image, &words) {
        (format!("its image has no {tool}"), "test: a command that the image has")
    } else if let Some(port) = checks::asked(&words).filter(deaf) {
        (
            format!("nothing in it listens on port {port}"),
            "test: a command that the image has, for the port of the server",
        )
    } else {
        return unasked(page, service, workload, (&test, &words));
    };
    let message = format!("the check of {} never passes: {why}, so Swarm stops each task", workload.name);
    page.found((codes::STUCK, Level::Violation), &[&test], message, fix);
}

/// Reports a check that asks Redis on its usual port, of a service that publishes others: its settings may have
/// moved it.
fn unasked(
    page: &mut Page<'_, '_>,
    service: &Value<'_>,
    workload: &Workload,
    (test, words): (&Value<'_>, &[&str]),
) {
    let software = workload.software.as_ref().filter(|s| s.name == "redis");
    let line = words.join(" ");
    let other = ["-p", "-s", "-u", "--port", "REDISCLI"].iter().any(|option| line.contains(option));
    let ports: Vec<u16> =
        service.get("ports").map(|p| p.items()).unwrap_or_default().iter().filter_map(target).collect();
    let Some(port) = ports.first().filter(|_| !ports.contains(&6379)) else { return };
    if software.is_none() || !line.contains("redis-cli") || other {
        return;
    }
    let message = format!(
        "the check of {} asks port 6379, and the service publishes {port}: if Redis listens there, Swarm stops each task",
        workload.name
    );
    let fix = format!("test: a command that the image has, for the port of the server: redis-cli -p {port}");
    page.found((codes::STUCK, Level::Note), &[test], message, fix);
}

/// Reports a published port on which the server does not listen.
fn heard(page: &mut Page<'_, '_>, service: &Value<'_>, workload: &Workload) {
    let Some(software) = workload.software.as_ref().filter(|s| s.by == By::Image && whole(service)) else {
        return;
    };
    let said = program_texts(service);
    for value in service.get("ports").map(|p| p.items()).unwrap_or_default() {
        let Some(port) = target(&value).filter(|port| checks::deaf(&software.name, *port, &said)) else {
            continue;
        };
        let usual = software.port.unwrap_or(port);
        let message =
            format!("{} publishes port {port}, and {} listens on {usual}", workload.name, software.name);
        page.found(
            (codes::MATCHES_NOTHING, Level::Violation),
            &[&value],
            message,
            format!("target: {usual}"),
        );
    }
}

/// Returns whether no file has more settings of the server.
fn whole(service: &Value<'_>) -> bool {
    let volumes = service.get("volumes").map(|v| v.items()).unwrap_or_default();
    let file =
        |v: &Value<'_>| Page::quiet(v).is_some_and(|text| text.contains(".conf") || text.contains(".cnf"));
    !["configs", "env_file", "entrypoint"].iter().any(|key| service.get(key).is_some())
        && !volumes.iter().any(file)
}

/// Reports tasks that are not started again (swarmkit `manager/orchestrator/restart/restart.go`,
/// `ShouldRestart`): with `none` all, with `on-failure` those that ended with code 0, as a server does
/// when its node shuts down, and with `max_attempts` those that were started that often.
fn restart(page: &mut Page<'_, '_>, service: &Value<'_>, workload: &Workload, software: Option<&Software>) {
    let known = software.is_some();
    let policy = service.at(&["deploy", "restart_policy"]);
    // Without a policy `restart: on-failure` becomes one (docker/cli `cli/compose/convert`).
    let plain = service.get("restart").filter(|v| policy.is_none() && quiet(v).starts_with("on-failure"));
    let of = |key: &str| policy.and_then(|p| p.get(key));
    let attempts = of("max_attempts").filter(|v| quiet(v) != "0" && !in_vain(v, &of));
    let stops = |v: &Value<'_>| match quiet(v).as_str() {
        "none" => true,
        "on-failure" => !software.is_some_and(|s| s.jvm),
        _ => false,
    };
    let plain = plain.filter(|_| !software.is_some_and(|s| s.jvm));
    let condition = of("condition").filter(stops).or(plain);
    let Some(first) = condition.or(attempts) else { return };
    let name = &workload.name;
    let data = workload.members.iter().any(|m| m.mounts.iter().any(|m| m.source != Source::Ephemeral));
    let listens = ["ports", "expose", "healthcheck"].iter().any(|key| service.get(key).is_some());
    let (serves, never) = (known || data && listens, quiet(&first) == "none");
    // A task that is refused is tried again and again.
    let refused = |s: &Source| matches!(s, Source::Host { missing: Missing::Refused, .. });
    let waits = workload.ports.iter().any(|p| p.scheduled)
        || workload.lock.is_some()
        || workload.members.iter().any(|m| m.mounts.iter().any(|m| refused(&m.source)));
    // `on-failure:3` becomes three attempts.
    let counted = condition.as_ref().is_some_and(|c| quiet(c).contains(':'));
    let endless = counted || attempts.is_some() && (waits || of("window").is_none());
    // After a shutdown of the node, the task counts as ended only if dockerd is back before the node counts
    // as down.
    let level = match serves && (never || endless) {
        true => Level::Violation,
        // A job that ends by itself must not be started again.
        false if !data && !listens && !known => return,
        false => Level::Note,
    };
    let why = match (condition, attempts) {
        (Some(_), _) if never => {
            "with `condition: none` no task follows one that ended: after a crash, a drain or a lost node".to_owned()
        }
        (Some(_), _) => {
            "with `on-failure` no task follows one that ended with code 0, as a server does when its node shuts down and is back before it counts as lost".to_owned()
        }
        (None, value) => format!(
            "Swarm gives up after `max_attempts: {}`, whatever the task waits for",
            value.as_ref().map(quiet).unwrap_or_default()
        ),
    };
    let fix = match attempts {
        Some(_) => "restart_policy: { condition: any }, without max_attempts",
        None => "restart_policy: { condition: any }",
    };
    let at: Vec<&Value<'_>> =
        [Some(&first), attempts.as_ref().filter(|_| condition.is_some())].into_iter().flatten().collect();
    page.found((codes::STUCK, level), &at, format!("{name} never comes back: {why}"), fix);
}

/// Returns whether so many attempts never fall into the window that Swarm counts: each waits for the delay
/// before it (swarmkit `manager/orchestrator/restart/restart.go`, `shouldRestart`; the delay is 5 s by default).
fn in_vain<'d>(attempts: &Value<'d>, of: &dyn Fn(&str) -> Option<Value<'d>>) -> bool {
    let time = |key: &str| of(key).and_then(|v| Page::quiet(&v)).and_then(|text| duration::go(&text));
    let (Some(window), delay) = (time("window").filter(|w| *w > 0), time("delay").unwrap_or(5)) else {
        return false;
    };
    let most = quiet(attempts).parse::<u32>().ok();
    most.is_some_and(|most| delay > 0 && most > window / delay)
}

/// Returns whether a new task follows one that ended.
pub fn again(service: &Value<'_>) -> bool {
    let condition = service.at(&["deploy", "restart_policy", "condition"]);
    condition.is_none_or(|c| quiet(&c) != "none")
}

/// Reports more tasks than one node can hold, if only one node is allowed (swarmkit
/// `manager/scheduler/filter.go`, `HostPortFilter` and `MaxReplicasFilter`). The search covers a
/// single task.
fn room(page: &mut Page<'_, '_>, service: &Value<'_>, workload: &Workload) {
    let Some(node) = workload.wants.iter().find(|w| w.one_node && !w.not) else { return };
    let port = workload.ports.iter().find(|p| p.scheduled).map(|p| (1, &p.at, "its port in host mode"));
    let most = workload.max_per_node.as_ref().map(|(most, at)| (*most, at, "max_replicas_per_node"));
    let Some((limit, _, what)) = port.into_iter().chain(most).min_by_key(|(limit, ..)| *limit) else {
        return;
    };
    let tasks = workload.members.len();
    let first = workload.update.order == Order::StartFirst;
    let short = tasks > limit as usize;
    let stuck = short || first && tasks == limit as usize;
    if workload.kind != Kind::Replicated || tasks < 2 || !stuck {
        return;
    }
    let deploy = service.get("deploy");
    let value = |way: &[&str]| deploy.and_then(|d| d.at(way));
    let replicas = value(&["replicas"]);
    let order = value(&["update_config", "order"]).filter(|_| !short);
    let at = order.or(replicas).unwrap_or(*service);
    let message = match short {
        true => format!(
            "{what} admits {limit} of the {tasks} tasks of {} on the only node that {} allows: the other tasks wait forever",
            workload.name, node.key
        ),
        false => format!(
            "{what} leaves no room for a new task of {} beside the old ones: with start-first the update waits forever",
            workload.name
        ),
    };
    let fix = match short {
        true => format!("replicas: {limit}"),
        false => "order: stop-first".to_owned(),
    };
    page.found((codes::STUCK, Level::Violation), &[&at], message, fix);
}

/// Reports a check that kills a server while it is still busy with its first start or its recovery:
/// a failed check ends the container, and its task is started again (swarmkit `agent/exec`).
fn recovery(page: &mut Page<'_, '_>, service: &Value<'_>, workload: &Workload) {
    let Some(value) = service.get("healthcheck").filter(enabled) else { return };
    let time = |key: &str, otherwise| {
        value.get(key).map_or(Some(otherwise), |v| Page::quiet(&v).and_then(|text| duration::go(&text)))
    };
    let tries = value.get("retries").map_or(Some(3), |v| v.number().and_then(|n| u32::try_from(n).ok()));
    let (Some(start), Some(every), Some(tries)) = (time("start_period", 0), time("interval", 30), tries)
    else {
        return;
    };
    let killed = start.saturating_add(every.saturating_mul(tries));
    if killed < RECOVERY {
        page.found(
            (codes::CHECK_KILLS, Level::Note),
            &[&value],
            format!(
                "{} is killed {killed} s after its start unless its check has passed: a recovery may take longer",
                workload.name
            ),
            "start_period: 5m",
        );
    }
}

/// Returns whether a check is made.
pub fn enabled(check: &Value<'_>) -> bool {
    let none = |test: Value<'_>| test.is("NONE") || test.items().first().is_some_and(|w| w.is("NONE"));
    let off = check.get("disable").is_some_and(|d| Page::truth(&d));
    !off && check.get("test").is_some_and(|test| !none(test))
}

/// Reports configs and secrets whose content is in a file, and whose name does not change with it.
/// Swarm changes no config (moby#35048: "only updates to Labels are allowed"), so the next deploy is
/// refused.
pub fn fixed(page: &mut Page<'_, '_>) {
    if page.machine {
        return;
    }
    let mut found = Vec::new();
    for section in ["configs", "secrets"] {
        for (key, value) in page.root.get(section).map(|s| s.entries()).unwrap_or_default() {
            let name = value.get("name").and_then(|n| n.text()).unwrap_or_else(|| key.to_owned());
            let own = value.get("file").is_some() && external(&value, key).is_none();
            if own && !versioned(&name) {
                found.push((key, value));
            }
        }
    }
    let [(key, _), more @ ..] = found.as_slice() else { return };
    let names: Vec<&str> = found.iter().map(|(key, _)| *key).collect();
    let names = names.join(", ");
    let verb = if more.is_empty() { "has one name" } else { "have one name each" };
    let fix = format!("name: {key}-${{VERSION}}, which changes whenever the file changes");
    let at: Vec<&Value<'_>> = found.iter().map(|(_, value)| value).collect();
    page.found(
        (codes::CONFIG_FIXED, Level::Note),
        &at,
        format!(
            "{names} {verb} for every content of the file: once the content changes, docker refuses the deploy"
        ),
        fix,
    );
}

/// Returns whether a name contains a version: a variable, a number or a hash at its end.
fn versioned(name: &str) -> bool {
    let last = name.rsplit(['-', '_', '.']).next().unwrap_or(name);
    let digits = last.trim_start_matches(['v', 'V', 'r']);
    let number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let hash = last.len() >= 6 && last.bytes().all(|b| b.is_ascii_hexdigit());
    name.contains('$') || number || hash
}

fn quiet(value: &Value<'_>) -> String {
    Page::quiet(value).unwrap_or_default()
}
