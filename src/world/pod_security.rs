//! The Pod Security level of a pod, as its manifest has it.
//!
//! Source: kubernetes.io/docs/concepts/security/pod-security-standards, version 1.34, and
//! `k8s.io/pod-security-admission/policy` (one `check_*.go` for each rule). Where a user namespace or
//! Windows would relax a rule, the rule counts: a level that is too low is safe.

use crate::text::yaml::Value;

/// A Pod Security level, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything is allowed.
    Privileged,
    /// No known way to more privileges.
    Baseline,
    /// The practice of hardened pods.
    Restricted,
}

/// The highest level that pods pass, and why it is not higher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Security {
    /// The level.
    pub level: Level,
    /// What the next level forbids, each with its field; empty for [`Level::Restricted`].
    pub because: Vec<String>,
}

impl Level {
    /// Returns the name in labels of a namespace.
    pub fn name(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }
}

/// Capabilities that baseline lets a container add.
const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Sysctls that baseline allows: those of one namespace.
const SYSCTLS: [&str; 12] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];

/// Kinds of volume that restricted allows.
const VOLUMES: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// Types of SELinux that baseline allows.
const SELINUX: [&str; 4] = ["container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

/// The annotations of AppArmor before the field `appArmorProfile`.
const APPARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// The fields of pods that a level forbids.
#[derive(Debug, Clone, Default)]
pub struct Forbidden {
    baseline: Vec<String>,
    restricted: Vec<String>,
}

impl Forbidden {
    /// Returns what the levels forbid of the pods that `template` makes.
    pub fn of(template: Value<'_>) -> Self {
        let mut found = Self::default();
        found.pod(template);
        found
    }

    /// Adds what the levels forbid of other pods.
    pub fn extend(&mut self, other: &Self) {
        self.baseline.extend_from_slice(&other.baseline);
        self.restricted.extend_from_slice(&other.restricted);
    }

    /// Returns the highest level that all the pods pass.
    pub fn level(&self) -> Security {
        let (level, because) = match self {
            Self { baseline, .. } if !baseline.is_empty() => (Level::Privileged, baseline.as_slice()),
            Self { restricted, .. } if !restricted.is_empty() => (Level::Baseline, restricted.as_slice()),
            Self { .. } => (Level::Restricted, &[][..]),
        };
        let mut because = because.to_vec();
        because.sort();
        because.dedup();
        Security { level, because }
    }

    fn pod(&mut self, template: Value<'_>) {
        let annotations = template.at(&["metadata", "annotations"]).map(Value::entries).unwrap_or_default();
        for (key, value) in annotations.into_iter().filter(|(key, _)| key.starts_with(APPARMOR)) {
            let profile = value.text().unwrap_or_default();
            if profile != "runtime/default" && !profile.starts_with("localhost/") {
                self.baseline.push(format!("the annotation {key}: {profile}"));
            }
        }
        let Some(pod) = template.get("spec") else { return };
        for field in ["hostNetwork", "hostPID", "hostIPC"] {
            if pod.get(field).is_some_and(|v| !v.is("false")) {
                self.baseline.push(field.to_owned());
            }
        }
        let security = pod.get("securityContext");
        self.context("the pod", security);
        if security.and_then(|s| s.get("runAsNonRoot")).is_some_and(|v| v.is("false")) {
            self.restricted.push("the pod has runAsNonRoot: false".into());
        }
        for sysctl in items(security, &["sysctls"]) {
            let name = sysctl.get("name").and_then(Value::text).unwrap_or_default();
            if !SYSCTLS.contains(&name.as_str()) {
                self.baseline.push(format!("the sysctl {name}"));
            }
        }
        for volume in items(Some(pod), &["volumes"]) {
            for (kind, value) in volume.entries().into_iter().filter(|(key, _)| *key != "name") {
                if kind == "hostPath" {
                    let path = value.get("path").and_then(Value::text).unwrap_or_default();
                    self.baseline.push(format!("a volume of the node's {path}"));
                } else if !VOLUMES.contains(&kind) {
                    self.restricted.push(format!("a volume of the kind {kind}"));
                }
            }
        }
        for field in ["initContainers", "containers", "ephemeralContainers"] {
            for container in items(Some(pod), &[field]) {
                let name = container.get("name").and_then(Value::text).unwrap_or_default();
                self.container(&format!("the container {name}"), container, security);
            }
        }
    }

    fn container(&mut self, name: &str, container: Value<'_>, pod: Option<Value<'_>>) {
        let own = container.get("securityContext");
        self.context(name, own);
        self.reach(name, container);
        let at = |way: &[&str]| own.and_then(|o| o.at(way));
        if at(&["privileged"]).is_some_and(|v| !v.is("false")) {
            self.baseline.push(format!("{name} is privileged"));
        }
        if at(&["procMount"]).is_some_and(|v| !v.is("Default")) {
            self.baseline.push(format!("{name} has another procMount than Default"));
        }
        for added in items(own, &["capabilities", "add"]).into_iter().filter_map(Value::text) {
            let words = format!("{name} adds {added}");
            if !CAPABILITIES.contains(&added.as_str()) {
                self.baseline.push(words);
            } else if added != "NET_BIND_SERVICE" {
                self.restricted.push(words);
            }
        }
        if !items(own, &["capabilities", "drop"]).into_iter().any(|v| v.is("ALL")) {
            self.restricted.push(format!("{name} does not drop ALL capabilities"));
        }
        if !at(&["allowPrivilegeEscalation"]).is_some_and(|v| v.is("false")) {
            self.restricted.push(format!("{name} has no allowPrivilegeEscalation: false"));
        }
        let field = |way: &[&str]| at(way).or_else(|| pod.and_then(|p| p.at(way)));
        if !field(&["runAsNonRoot"]).is_some_and(|v| v.is("true")) {
            self.restricted.push(format!("{name} has no runAsNonRoot: true"));
        }
        let seccomp = field(&["seccompProfile", "type"]);
        if !seccomp.is_some_and(|v| v.is("RuntimeDefault") || v.is("Localhost")) {
            self.restricted.push(format!("{name} has no seccompProfile"));
        }
    }

    /// Checks the fields that a pod and a container share.
    fn context(&mut self, name: &str, security: Option<Value<'_>>) {
        let at = |way: &[&str]| security.and_then(|s| s.at(way));
        if at(&["runAsUser"]).is_some_and(|v| v.is("0")) {
            self.restricted.push(format!("{name} has runAsUser: 0"));
        }
        if at(&["windowsOptions", "hostProcess"]).is_some_and(|v| !v.is("false")) {
            self.baseline.push(format!("{name} is a hostProcess"));
        }
        for field in ["seccompProfile", "appArmorProfile"] {
            let kind = at(&[field, "type"]);
            if kind.is_some_and(|v| !v.is("RuntimeDefault") && !v.is("Localhost")) {
                self.baseline.push(format!("{name} is not confined: {field}"));
            }
        }
        for (key, value) in at(&["seLinuxOptions"]).map(Value::entries).unwrap_or_default() {
            let text = value.text().unwrap_or_default();
            let fine = match key {
                "user" | "role" => text.is_empty(),
                "type" => text.is_empty() || SELINUX.contains(&text.as_str()),
                _ => true,
            };
            if !fine {
                self.baseline.push(format!("{name} has the seLinuxOptions {key}: {text}"));
            }
        }
    }

    /// Checks the host ports of a container, and the hosts that its probes contact.
    fn reach(&mut self, name: &str, container: Value<'_>) {
        for port in items(Some(container), &["ports"]) {
            let number = port.get("hostPort").and_then(Value::text).filter(|n| n != "0");
            self.baseline.extend(number.map(|n| format!("{name} takes the port {n} of the node")));
        }
        let hooks = ["livenessProbe", "readinessProbe", "startupProbe"].map(|probe| vec![probe]);
        let hooks = hooks.into_iter().chain([vec!["lifecycle", "postStart"], vec!["lifecycle", "preStop"]]);
        for hook in hooks {
            for kind in ["httpGet", "tcpSocket"] {
                let way: Vec<&str> = hook.iter().copied().chain([kind, "host"]).collect();
                let host = container.at(&way).and_then(Value::text).filter(|host| !host.is_empty());
                self.baseline
                    .extend(host.map(|host| format!("{name} asks another host: {} {host}", hook.join("."))));
            }
        }
    }
}

fn items<'d>(value: Option<Value<'d>>, way: &[&str]) -> Vec<Value<'d>> {
    value.and_then(|v| v.at(way)).map(Value::items).unwrap_or_default()
}
