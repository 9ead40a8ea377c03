//! What fleet and Swarm have in common: both start containers with docker.

use crate::code::Code;
use crate::diag::Diagnostic;
use crate::model::{Check, Health, Probe, Service, Volume, Workload};
use crate::spec::{Scheme, Tool};
use crate::text::quote::{shell_quote, shell_word};

/// The script of `guard: lock`. It locks the data directory itself (`$0`) and then becomes the
/// command, so the lock lives as long as the process. A lock file would disturb programs that
/// expect an empty directory, and a lock around `docker run` ends with the docker client.
pub const GUARD: &str = r#"exec 9<"$0" && flock -n 9 && exec "$@""#;

/// A health check as docker runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A program with its arguments.
    Exec(Vec<String>),
    /// A line for the image's `sh`.
    Shell(String),
}

/// Returns the command for `check`: its own `run`, or one for the tool that the image has.
///
/// # Errors
/// [`Code::HealthNeedsCommand`] if neither can run this check.
pub fn command(
    service: &Service,
    w: &Workload,
    health: &Health,
    check: &Check,
    run: Vec<String>,
) -> Result<Command, Box<Diagnostic>> {
    if !run.is_empty() {
        return Ok(Command::Exec(run));
    }
    let port = |name: &str| w.ports.iter().find(|p| p.name == name).map_or(0, |p| p.socket.number);
    let timeout = check.timeout;
    let shell = match (&check.probe, health.tool) {
        (Some(Probe::Tcp { port: name }), Some(Tool::Bash)) => {
            format!("timeout {timeout} bash -c '</dev/tcp/127.0.0.1/{}'", port(name))
        }
        (Some(Probe::Tcp { port: name }), Some(Tool::Nc)) => {
            format!("nc -z -w {timeout} 127.0.0.1 {}", port(name))
        }
        (Some(Probe::Http { path, port: name, scheme }), Some(tool @ (Tool::Curl | Tool::Wget))) => {
            let (secure, scheme) = match scheme {
                Scheme::Http => (false, "http"),
                Scheme::Https => (true, "https"),
            };
            let url = shell_quote(&format!("{scheme}://127.0.0.1:{}{path}", port(name)));
            match tool {
                // Without `-g` curl expands `[1-3]` and `{a,b}` in a URL.
                Tool::Curl => format!(
                    "curl -gfs{} -o /dev/null --max-time {timeout} {url}",
                    if secure { "k" } else { "" }
                ),
                _ => {
                    let insecure = if secure { " --no-check-certificate" } else { "" };
                    format!("wget -q{insecure} -T {timeout} -O /dev/null {url}")
                }
            }
        }
        (Some(Probe::Http { path, port: name, scheme: Scheme::Http }), Some(Tool::Bash)) => {
            let request = format!("GET {path} HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n").replace('%', "%%");
            let script = format!(
                "exec 3<>/dev/tcp/127.0.0.1/{} && printf {} >&3 && read -r _ status _ <&3 && [[ $status == [23]* ]]",
                port(name),
                shell_quote(&request),
            );
            format!("timeout {timeout} bash -c {}", shell_quote(&script))
        }
        (Some(Probe::Http { path, port: name, scheme: Scheme::Http }), Some(Tool::Nc)) => {
            let request = format!("GET {path} HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n").replace('%', "%%");
            format!(
                "printf {} | nc -w {timeout} 127.0.0.1 {} | head -n 1 | grep -q ' [23]'",
                shell_quote(&request),
                port(name)
            )
        }
        _ => return Err(Box::new(needs_command(service, health, check))),
    };
    Ok(Command::Shell(shell))
}

fn needs_command(service: &Service, health: &Health, check: &Check) -> Diagnostic {
    let (what, tools) = match &check.probe {
        Some(Probe::Http { .. }) => ("http", "curl or wget"),
        Some(Probe::Tcp { .. }) => ("tcp", "bash or nc"),
        None => ("this check", "bash"),
    };
    let last = check.route.steps().last().map_or("ready", String::as_str);
    let place = service.key(&check.route);
    let d = Diagnostic::error(
        Code::HealthNeedsCommand,
        place,
        format!("fleet and Swarm run checks inside the container, so {what} alone is not enough"),
    );
    let d = match health.tool {
        Some(_) => d.why(format!("`tool` cannot check {what} here, but {tools} can")),
        None => {
            let first = tools.split(' ').next().unwrap_or_default();
            d.fix(
                format!("under `health`, name a tool that the image has: {tools}"),
                format!("tool: {first}"),
            )
        }
    };
    d.advice(format!("or write the command to run under `{last}.run`"))
}

/// The options of an NFS volume that name the share, and the default mount options.
pub const NFS: [&str; 3] = ["server", "share", "o"];

/// Returns the driver options of the volume `name`. An existing volume keeps the options it was
/// created with.
pub fn volume_options(name: &str, wanted: &Volume) -> Vec<(String, String)> {
    let Some(plugin) = wanted.backend.plugin else { return Vec::new() };
    if plugin.driver == "local" {
        return nfs(name, wanted);
    }
    let size = plugin.size.map(|key| (key.to_owned(), wanted.size.div_ceil(1 << 30).to_string()));
    let kind = plugin.kind.zip(wanted.kind.as_ref()).map(|(key, kind)| (key.to_owned(), kind.clone()));
    size.into_iter().chain(kind).chain(wanted.options.iter().cloned()).collect()
}

/// Returns the options of an NFS volume for docker's `local` driver. The directory of the member is
/// part of the device, so the mount fails if the directory is missing.
fn nfs(name: &str, wanted: &Volume) -> Vec<(String, String)> {
    let option = |key| wanted.options.iter().find(|(k, _)| k == key).map_or("", |(_, v)| v.as_str());
    let [server, share, further] = NFS.map(option);
    let device = format!(":{}/{name}", share.trim_end_matches('/'));
    let mut mount = format!("addr={server},rw");
    if !further.is_empty() {
        mount.push(',');
        mount.push_str(further);
    }
    [("type", "nfs".to_owned()), ("o", mount), ("device", device)].map(|(k, v)| (k.to_owned(), v)).to_vec()
}

/// Joins a command into one line for a shell.
pub fn shell_line(words: &[String]) -> String {
    words.iter().map(|w| shell_word(w)).collect::<Vec<_>>().join(" ")
}
