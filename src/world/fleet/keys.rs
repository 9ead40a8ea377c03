//! The keys that podman's generator knows in each section of a Quadlet file.

use std::collections::BTreeMap;

use super::quadlet;
use crate::finding::{At, Level, codes};
use crate::text::nearest::nearest;
use crate::text::unit::Setting;
use crate::world::found::Found;

/// Each section, a version of podman, and the keys that are new in it. Those of 4.9 are of 4.9 or older, those of
/// 6.0 of a version up to 6.2 (podman `pkg/systemd/quadlet/quadlet.go`: 4.4.4 to 5.8.2 and 6.2.0-dev).
#[rustfmt::skip]
const KEYS: [(&str, (u8, u8), &str); 35] = [
    ("Container", (4, 9),
        "AddCapability AddDevice Annotation AutoUpdate ContainerName ContainersConfModule DNS DNSOption \
         DNSSearch DropCapability Environment EnvironmentFile EnvironmentHost Exec ExposeHostPort GIDMap \
         GlobalArgs Group HealthCmd HealthInterval HealthOnFailure HealthRetries HealthStartPeriod \
         HealthStartupCmd HealthStartupInterval HealthStartupRetries HealthStartupSuccess \
         HealthStartupTimeout HealthTimeout HostName IP IP6 Image Label LogDriver Mask Mount Network \
         NoNewPrivileges Notify PidsLimit PodmanArgs PublishPort Pull ReadOnly ReadOnlyTmpfs RemapGid \
         RemapUid RemapUidSize RemapUsers Rootfs RunInit SeccompProfile Secret SecurityLabelDisable \
         SecurityLabelFileType SecurityLabelLevel SecurityLabelNested SecurityLabelType ShmSize SubGIDMap \
         SubUIDMap Sysctl Timezone Tmpfs UIDMap Ulimit Unmask User UserNS VolatileTmp Volume WorkingDir"),
    ("Container", (5, 0),
        "Entrypoint Pod StopTimeout"),
    ("Container", (5, 1),
        "GroupAdd"),
    ("Container", (5, 2),
        "LogOpt NetworkAlias StopSignal"),
    ("Container", (5, 3),
        "AddHost CgroupsMode HealthLogDestination HealthMaxLogCount HealthMaxLogSize ServiceName \
         StartWithPod"),
    ("Container", (5, 5),
        "Memory ReloadCmd ReloadSignal Retry RetryDelay"),
    ("Container", (5, 7),
        "HttpProxy"),
    ("Container", (5, 8),
        "AppArmor"),
    ("Container", (6, 0),
        "ImageVolume Umask"),
    ("Pod", (5, 0),
        "ContainersConfModule GlobalArgs Network PodName PodmanArgs PublishPort Volume"),
    ("Pod", (5, 2),
        "NetworkAlias"),
    ("Pod", (5, 3),
        "AddHost DNS DNSOption DNSSearch GIDMap IP IP6 RemapGid RemapUid RemapUidSize RemapUsers \
         ServiceName SubGIDMap SubUIDMap UIDMap UserNS"),
    ("Pod", (5, 4),
        "ShmSize"),
    ("Pod", (5, 5),
        "HostName"),
    ("Pod", (5, 6),
        "ExitPolicy Label"),
    ("Pod", (5, 7),
        "StopTimeout"),
    ("Volume", (4, 9),
        "ContainersConfModule Copy Device Driver GlobalArgs Group Image Label Options PodmanArgs Type User \
         VolumeName"),
    ("Volume", (5, 3),
        "ServiceName"),
    ("Volume", (6, 0),
        "UID GID"),
    ("Network", (4, 9),
        "ContainersConfModule DNS DisableDNS Driver Gateway GlobalArgs IPAMDriver IPRange IPv6 Internal \
         Label NetworkName Options PodmanArgs Subnet"),
    ("Network", (5, 3),
        "ServiceName"),
    ("Network", (5, 5),
        "NetworkDeleteOnStop"),
    ("Network", (5, 6),
        "InterfaceName"),
    ("Kube", (4, 9),
        "AutoUpdate ConfigMap ContainersConfModule ExitCodePropagation GlobalArgs KubeDownForce LogDriver \
         Network PodmanArgs PublishPort RemapGid RemapUid RemapUidSize RemapUsers SetWorkingDirectory \
         UserNS Yaml"),
    ("Kube", (5, 2),
        "LogOpt"),
    ("Kube", (5, 3),
        "ServiceName"),
    ("Image", (4, 9),
        "AllTags Arch AuthFile CertDir ContainersConfModule Creds DecryptionKey GlobalArgs Image ImageTag \
         OS PodmanArgs TLSVerify Variant"),
    ("Image", (5, 3),
        "ServiceName"),
    ("Image", (5, 5),
        "Retry RetryDelay"),
    ("Image", (5, 6),
        "Policy"),
    ("Build", (5, 2),
        "Annotation Arch AuthFile ContainersConfModule DNS DNSOption DNSSearch Environment File ForceRM \
         GlobalArgs GroupAdd ImageTag Label Network PodmanArgs Pull Secret SetWorkingDirectory TLSVerify \
         Target Variant Volume"),
    ("Build", (5, 3),
        "ServiceName"),
    ("Build", (5, 5),
        "Retry RetryDelay"),
    ("Build", (5, 7),
        "BuildArg IgnoreFile"),
    ("Artifact", (5, 7),
        "Artifact AuthFile CertDir ContainersConfModule Creds DecryptionKey GlobalArgs PodmanArgs Quiet \
         Retry RetryDelay ServiceName TLSVerify"),
];

/// The oldest version that a reader is taken to have: that of Ubuntu 24.04.
const OLDEST: (u8, u8) = (4, 9);

/// Keys of systemd that people write into the sections of Quadlet, by their own section.
const SYSTEMD: [(&str, &str); 3] = [
    (
        "Unit",
        "After Before BindsTo Conflicts Description Documentation PartOf Requires RequiresMountsFor Wants",
    ),
    (
        "Service",
        "CPUQuota ExecReload ExecStart ExecStartPost ExecStartPre ExecStop ExecStopPost KillMode MemoryLimit \
         MemoryMax Restart RestartSec RuntimeMaxSec TimeoutStartSec TimeoutStopSec",
    ),
    ("Install", "Alias RequiredBy WantedBy"),
];

/// Returns the section of systemd that a key belongs to.
fn of_systemd(key: &str) -> Option<&'static str> {
    SYSTEMD.iter().find(|(_, keys)| keys.split(' ').any(|k| k == key)).map(|(section, _)| *section)
}

/// Returns the version that first has `key` in `section`.
fn since(section: &str, key: &str) -> Option<(u8, u8)> {
    let has =
        |(name, _, keys): &&(&str, (u8, u8), &str)| *name == section && keys.split(' ').any(|k| k == key);
    KEYS.iter().find(has).map(|(_, version, _)| *version)
}

/// The newest key of each file.
#[derive(Debug, Default)]
pub struct Newest(Vec<Key>);

/// A version of podman, the name of a file, a key of it that this version first has, and its place.
type Key = ((u8, u8), String, String, At);

impl Newest {
    /// Reports the keys of a file that the generator does not know: it then makes no unit of it
    /// (`checkForUnknownKeys`; tried with 4.9.5, 5.4.2 and 5.8.2). Returns the lines with the keys that they mean.
    pub fn check<'s>(
        &mut self,
        base: &str,
        lines: impl Iterator<Item = (&'s Setting, At)>,
        found: &mut Found,
    ) -> Vec<(usize, String)> {
        let mut newest: Option<Key> = None;
        let mut meant = Vec::new();
        for (i, (setting, at)) in lines.enumerate() {
            let (section, key, value) = (setting.section.as_str(), setting.key.as_str(), &setting.value);
            // The generator reads one section of each file, and systemd those that it knows.
            if !quadlet::is_section_of(section, base) {
                continue;
            }
            let known = || KEYS.iter().filter(|(name, ..)| *name == section);
            if let Some(version) = since(section, key) {
                if version > newest.as_ref().map_or(OLDEST, |(version, ..)| *version) {
                    newest = Some((version, base.to_owned(), key.to_owned(), at));
                }
                continue;
            }
            let own = of_systemd(key);
            let all: Vec<&str> = known().flat_map(|(_, _, keys)| keys.split(' ')).collect();
            let near = nearest(key, &all).filter(|_| own.is_none());
            let message = format!("podman makes no unit of {base}: it knows no key {key} in [{section}]");
            let fix = match (own, near) {
                (Some(section), _) => format!("{key}={value} in [{section}], not here"),
                (None, Some(known)) => format!("{known}={value}"),
                (None, None) => "the option of podman in PodmanArgs=".to_owned(),
            };
            found.violation(codes::REFUSED, message, vec![at], fix);
            meant.extend(near.map(|near| (i, near.to_owned())));
        }
        self.0.extend(newest);
        meant
    }

    /// Reports the version of podman that the files need, in one note for all of them.
    pub fn report(mut self, found: &mut Found) {
        self.0.sort_by_key(|key| std::cmp::Reverse(key.0));
        let Some(((major, minor), base, key, _)) = self.0.first() else { return };
        let others = match self.0.len() - 1 {
            0 => String::new(),
            more => format!("; {more} more need one that is newer than {}.{}", OLDEST.0, OLDEST.1),
        };
        let message =
            format!("podman before {major}.{minor} makes no unit of {base}: it knows no key {key}{others}");
        let fix = format!("podman {major}.{minor} or newer on the machine");
        let places = self.0.iter().map(|(.., at)| at.clone()).collect();
        found.note(codes::REFUSED, message, places, fix);
    }
}

/// Reports values of `[Service]` with which the generator makes no unit (`ConvertContainer`; tried with 5.8.2).
pub fn service<'s>(base: &str, lines: impl Iterator<Item = (&'s Setting, At)>, found: &mut Found) {
    const MADE: [(&str, [&str; 2]); 2] =
        [("Type", ["notify", "oneshot"]), ("KillMode", ["mixed", "control-group"])];
    let mut last: BTreeMap<&str, (&Setting, At)> = BTreeMap::new();
    for (setting, at) in lines {
        last.insert(&setting.key, (setting, at));
    }
    for (key, values) in MADE {
        let Some((setting, at)) = last.remove(key) else { continue };
        let value = setting.value.as_str();
        if !values.contains(&value) {
            let message = format!("podman makes no unit of {base}: it refuses {key}={value}");
            found.violation(codes::REFUSED, message, vec![at], format!("{key}={}", values[0]));
        }
    }
}

/// The keys whose value the generator splits into words.
const WORDS: [&str; 7] = ["Environment", "EnvironmentFile", "Exec", "Mount", "PodmanArgs", "Secret", "Label"];

/// Reports values that the generator leaves out without an error, because of an escape that it does not know
/// (podman `pkg/systemd/parser/split.go`, `cUnescapeOne`; tried with 4.9.5, 5.4.2 and 5.8.2).
pub fn escapes<'s>(lines: impl Iterator<Item = (&'s Setting, At)>, found: &mut Found) {
    for (setting, at) in lines.filter(|(setting, _)| WORDS.contains(&setting.key.as_str())) {
        let key = setting.key.as_str();
        let mut chars = setting.value.chars();
        let mut unknown = None;
        while let (None, Some(c)) = (unknown, chars.next()) {
            let next = if c == '\\' { chars.next() } else { None };
            unknown = next.filter(|next| !"abfnrtv\\\"'sxuU01234567".contains(*next));
        }
        if let Some(c) = unknown {
            let level = if key == "Label" { Level::Note } else { Level::Violation };
            let message = format!("podman leaves out {key}= without an error: it knows no escape `\\{c}`");
            let fix = format!("`{c}` alone; or `\\\\{c}`, for a backslash that stays");
            found.finding((codes::IGNORED, level), message, vec![at], fix);
        }
    }
}
