//! Checks who connects to a service on Kubernetes.

use std::net::IpAddr;

use super::checker::{Checker, fix};
use crate::code::Code;
use crate::model::Client;
use crate::spec::source::Route;
use crate::spec::{ClientSpec, ClientTable};
use crate::text::names;

/// Checks the list at `root`.
pub(super) fn clients(
    checker: &mut Checker<'_>,
    root: &Route,
    spec: Option<Vec<ClientSpec>>,
) -> Option<Vec<Client>> {
    let items = spec?.into_iter().enumerate();
    Some(items.map(|(i, item)| client(checker, &root.at(i), item)).collect())
}

fn client(checker: &mut Checker<'_>, at: &Route, spec: ClientSpec) -> Client {
    let ClientTable { namespace, pods, cidr } = match spec {
        ClientSpec::Service(name) => {
            checker.named(Code::BadName, at, &format!("the service `{name}`"), &name, names::service);
            return Client::Service(name);
        }
        ClientSpec::Others(table) => table,
    };
    let of_pods = namespace.is_some() || pods.is_some();
    if of_pods == cidr.is_some() {
        let message = match of_pods {
            true => "a client is pods or addresses, not both",
            false => "a client needs `namespace`, `pods` or `cidr`",
        };
        checker.fault(Code::ClientShape, at, message).fixes.push(fix(
            "pods of another namespace are",
            "{ namespace: monitoring, pods: { app: prometheus } }",
        ));
    }
    if let Some(cidr) = cidr {
        if !is_block(&cidr) {
            checker
                .fault(Code::ClientShape, &at.at("cidr"), format!("`{cidr}` is no block of addresses"))
                .fixes
                .push(fix("write the address and the length of its prefix", "cidr: 10.0.0.0/24"));
        }
        return Client::Block(cidr);
    }
    if let Some(namespace) = &namespace {
        let what = format!("the namespace `{namespace}`");
        checker.named(Code::BadName, &at.at("namespace"), &what, namespace, names::namespace);
    }
    let labels: Vec<(String, String)> = pods.unwrap_or_default().into_iter().collect();
    for (key, value) in &labels {
        let at = at.at("pods").at(key);
        checker.named_key(Code::BadLabel, &at, &format!("the label `{key}`"), key, names::label_key);
        let what = format!("the label value `{value}`");
        checker.named(Code::BadLabel, &at, &what, value, names::label_value);
    }
    Client::Pods { namespace, labels }
}

/// Returns whether `text` is an address with the length of its prefix.
fn is_block(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let most = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    let digits = length.bytes().all(|c| c.is_ascii_digit()) && (length == "0" || !length.starts_with('0'));
    digits && length.parse::<u8>().is_ok_and(|length| length <= most)
}
