//! Reads the ports and networks of a service.

use super::free::Taken;
use super::page::{Page, external};
use super::short;
use crate::finding::{At, Level, codes};
use crate::text::yaml::Value;
use crate::world::Port;

/// Ports that are published on every node through the swarm's routing mesh. They belong to no
/// single container and exist once in a swarm.
#[derive(Debug, Clone)]
pub struct Ingress {
    /// The first port.
    pub first: u16,
    /// The last port.
    pub last: u16,
    /// The protocol: `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// The address of the node that it is bound to, in a file of one machine; `None` for all.
    pub address: Option<String>,
    /// The name of the service.
    pub service: String,
    /// The place.
    pub at: At,
}

/// The ports and networks of a service.
#[derive(Debug, Default)]
pub struct Network {
    /// The place that puts it on the node's network.
    pub host: Option<At>,
    /// The ports of the node.
    pub ports: Vec<Port>,
    /// The ports of the swarm.
    pub ingress: Vec<Ingress>,
}

/// The longest range of ports whose numbers are compared one by one.
const RANGE: u16 = 256;

/// Reads `networks`, `ports` and `deploy.endpoint_mode` of the service `name`.
pub fn read(page: &mut Page<'_, '_>, service: &Value<'_>, name: &str) -> Network {
    let mut network = Network { host: host(page, service), ..Network::default() };
    if page.machine {
        let mode = service.get("network_mode").filter(|mode| mode.is("host"));
        network.host = network.host.or_else(|| mode.map(|mode| page.at(&mode)));
        if network.host.is_none() {
            of_machine(page, service, name, &mut network);
        }
        return network;
    }
    let mode = service.at(&["deploy", "endpoint_mode"]);
    let round_robin =
        mode.as_ref().is_some_and(|m| m.text().is_some_and(|t| t.eq_ignore_ascii_case("dnsrr")));
    for value in service.get("ports").map(|p| p.items()).unwrap_or_default() {
        let before = network.ingress.len();
        let all = match page.text(&value) {
            Some(text) => short(page, &value, &text, name, &mut network),
            None => long(page, &value, name, &mut network),
        };
        if let Some(mode) = mode.as_ref().filter(|_| round_robin && all) {
            page.found(
                (codes::REFUSED, Level::Violation),
                &[&value, mode],
                "a port of the routing mesh needs endpoint_mode vip: Swarm refuses it with dnsrr",
                "{ target: 5432, published: 5432, mode: host }",
            );
        }
        for i in before..network.ingress.len() {
            let (new, old) = (&network.ingress[i], &network.ingress[..before]);
            let same =
                |o: &&Ingress| o.protocol == new.protocol && o.first <= new.last && new.first <= o.last;
            if before < 64 && old.iter().any(|o| same(&o)) {
                twice(page, &value, new.first);
            }
        }
    }
    network
}

/// Returns the numbers that the services of all files publish, in either mode.
pub fn published<'d>(roots: impl Iterator<Item = Value<'d>>) -> Taken {
    let services = roots.flat_map(|root| root.get("services").map(|s| s.entries()).unwrap_or_default());
    let ports = services.flat_map(|(_, service)| service.get("ports").map(|p| p.items()).unwrap_or_default());
    let range = |value: Value<'_>| match value.get("published").or_else(|| value.get("target")) {
        Some(number) => {
            let text = Page::quiet(&number)?;
            let (first, last) = text.split_once('-').unwrap_or((&text, &text));
            Some((first.parse().ok()?, last.parse().ok()?))
        }
        None => short::ports(&Page::quiet(&value)?)?.published,
    };
    let mut taken = Taken::default();
    ports.filter_map(range).for_each(|(first, last)| taken.take(first, last));
    taken
}

fn twice(page: &mut Page<'_, '_>, value: &Value<'_>, number: u16) {
    page.found(
        (codes::REFUSED, Level::Violation),
        &[value],
        format!("port {number} is published twice, and Swarm refuses the service"),
        "leave one of them out",
    );
}

/// Reads the ports of a service of one machine, which docker binds before the program starts.
fn of_machine(page: &mut Page<'_, '_>, service: &Value<'_>, name: &str, network: &mut Network) {
    for value in service.get("ports").map(|p| p.items()).unwrap_or_default() {
        let read = match page.text(&value) {
            Some(text) => short::ports(&text).map(|p| (p.published, p.protocol, p.address)),
            None => {
                let of = |key: &str| value.get(key).and_then(|v| Page::quiet(&v));
                let published = of("published").and_then(|text| short::range(&text)).filter(|r| r.1 > 0);
                Some((published, of("protocol").unwrap_or_else(|| "tcp".to_owned()), of("host_ip")))
            }
        };
        let Some((published, protocol, address)) = read else {
            page.unread(&value, "the ports cannot be read: ignored");
            continue;
        };
        let Some((first, last)) = published else { continue };
        let all = |address: &String| !["", "0.0.0.0", "::", "[::]"].contains(&address.as_str());
        let address = address.filter(all);
        let at = page.at(&value);
        // Two addresses of the machine may each have the port.
        if address.is_none() && last - first < RANGE {
            network.ports.extend((first..=last).map(|number| Port {
                number,
                protocol: protocol.clone(),
                scheduled: false,
                bound: true,
                declared: true,
                at: at.clone(),
            }));
        }
        network.ingress.push(Ingress { first, last, protocol, address, service: name.to_owned(), at });
    }
}

/// Reads a port in the short form. Returns whether it goes through the routing mesh.
fn short(page: &mut Page<'_, '_>, value: &Value<'_>, text: &str, name: &str, network: &mut Network) -> bool {
    let Some(ports) = short::ports(text) else {
        if text.contains("${") {
            page.unread(value, format!("the ports `{text}`: ignored"));
        } else {
            page.found(
                (codes::REFUSED, Level::Violation),
                &[value],
                format!("docker cannot read the ports `{text}`"),
                "\"5432:5432\"",
            );
        }
        return false;
    };
    if ports.address.is_some() {
        page.found(
            (codes::IGNORED, Level::Note),
            &[value],
            format!("Swarm drops the address of `{text}` and listens on every address of every node"),
            "leave the port out: services of one network reach each other without it",
        );
    }
    if let Some((first, last)) = ports.published {
        let (protocol, service) = (ports.protocol, name.to_owned());
        let at = page.at(value);
        network.ingress.push(Ingress { first, last, protocol, address: None, service, at });
    }
    true
}

/// Reads a port in the long form. Returns whether it goes through the routing mesh.
fn long(page: &mut Page<'_, '_>, value: &Value<'_>, name: &str, network: &mut Network) -> bool {
    let mode = page.text_of(value, "mode").unwrap_or_default();
    if !matches!(mode.as_str(), "" | "ingress" | "host") {
        page.found(
            (codes::REFUSED, Level::Violation),
            &[value],
            format!("docker publishes no port in mode `{mode}`"),
            "mode: host",
        );
    }
    if let Some(address) = value.get("host_ip") {
        page.found(
            (codes::REFUSED, Level::Note),
            &[&address],
            "docker stack deploy refuses a port with an address",
            "leave it out",
        );
    }
    let published = value.get("published").and_then(|p| {
        let text = Page::quiet(&p)?;
        let range = short::range(&text).filter(|r| r.1 > 0);
        if text.contains("${") {
            page.unread(&p, format!("the port `{text}`: treated as a port that docker picks"));
        } else if range.is_none_or(|(first, last)| first != last) && text != "0" {
            page.found(
                (codes::REFUSED, Level::Note),
                &[&p],
                format!("docker stack deploy reads no port `{text}` here"),
                "one entry with a number for each port",
            );
        }
        range
    });
    // Port 0 of the container is none (swarmkit `manager/controlapi/service.go`).
    let target = value.get("target").and_then(|t| short::range(&Page::quiet(&t)?));
    let published = published.filter(|_| target.is_none_or(|(first, _)| first > 0));
    let protocol = page.text_of(value, "protocol").unwrap_or_else(|| "tcp".to_owned()).to_ascii_lowercase();
    let at = value.get("published").map_or_else(|| page.at(value), |p| page.at(&p));
    match published {
        Some((first, last)) if mode != "host" => {
            let service = name.to_owned();
            network.ingress.push(Ingress { first, last, protocol, address: None, service, at });
        }
        Some((first, last)) if usize::from(last - first) < 256 => {
            let taken = |p: &Port| p.protocol == protocol && (first..=last).contains(&p.number);
            if network.ports.iter().take(256).any(taken) {
                twice(page, value, first);
                return false;
            }
            let bound = network.host.is_none();
            network.ports.extend((first..=last).map(|number| Port {
                number,
                protocol: protocol.clone(),
                scheduled: true,
                bound,
                declared: true,
                at: at.clone(),
            }));
        }
        Some((first, last)) => page.unread(value, format!("the ports {first}-{last}: ignored")),
        None => {}
    }
    mode != "host"
}

/// Returns the place that puts the service on the node's network.
fn host(page: &mut Page<'_, '_>, service: &Value<'_>) -> Option<At> {
    let networks = service.get("networks")?;
    let mut named: Vec<(String, Value<'_>)> =
        networks.items().into_iter().filter_map(|item| Some((Page::quiet(&item)?, item))).collect();
    named.extend(networks.entries().into_iter().map(|(key, value)| (key.to_owned(), value)));
    let mut host = None;
    for (key, value) in named {
        let definition = page.defined("networks", &key);
        if definition.is_none() && key != "default" && !key.contains("${") {
            page.found(
                (codes::REFUSED, Level::Violation),
                &[&value],
                format!("the network `{key}` is defined nowhere, so docker refuses the service"),
                match key.as_str() {
                    "host" => "networks: { host: { external: true, name: host } }".to_owned(),
                    _ => format!("networks: {{ {key}: {{}} }}"),
                },
            );
        }
        let exists = definition.as_ref().and_then(|d| external(d, &key));
        let named = || definition.as_ref().and_then(|d| d.get("name")).and_then(|n| Page::quiet(&n));
        let name = exists.or_else(named).unwrap_or_else(|| key.clone());
        if name == "host" && host.is_none() {
            host = Some(page.at(&value));
        }
    }
    host
}
