//! Makes specs like those of a large repository: one third on each node, one third pinned, one third
//! with network volumes. Nothing clashes: each service has its own ports, paths and labels.

use berthc::Input;

/// Returns the spec of service `n` with `members` members, or with as many nodes if it is `per: node`.
pub fn spec(n: usize, members: usize) -> Input {
    let (port, peer) = (10_000 + 2 * n, 10_001 + 2 * n);
    let text = match n % 3 {
        0 => per_node(n, members, port),
        1 => pinned(n, members, port, peer),
        _ => volume(n, members, port, peer),
    };
    Input { path: format!("specs/{}.yaml", name(n)), text }
}

/// Returns `specs` specs.
pub fn specs(specs: usize, members: usize) -> Vec<Input> {
    (0..specs).map(|n| spec(n, members)).collect()
}

fn name(n: usize) -> String {
    format!("{}-{n:05}", ["search", "coordination", "stream"][n % 3])
}

fn address(n: usize, member: usize) -> String {
    format!("10.{}.{}.{}", n % 256, member / 250, member % 250 + 1)
}

/// Returns a value that lists the members, if it fits into a line of a unit.
fn listed(members: usize, list: &'static str) -> &'static str {
    if members > 60 { "{{ service }}" } else { list }
}

/// Returns a spec with a member on each node with the label, on the node's network.
fn per_node(n: usize, members: usize, port: usize) -> String {
    let name = name(n);
    let known: Vec<String> = (1..=members).map(|m| format!("{name}-{m}: {}", address(n, m))).collect();
    format!(
        r#"service: {name}
revision: v1
image: registry.example.com/search:8.14.3
command: [/usr/local/bin/entrypoint.sh, server]
user: "1000:1000"
env:
  node.name: "{{{{ member.node }}}}"
  http.port: "{{{{ ports.http }}}}"
  seed_hosts: "{seeds}"
members:
  per: node
  on: {{ {name}: "true" }}
  known: {{ {known} }}
resources: {{ cpu: "2", memory: 8Gi }}
exclusive:
  data: {{ data: {{ mount: /var/lib/search, host: /mnt/d1/{name} }} }}
  ports: {{ http: {port} }}
  address: node
  guard: lock
stop: {{ grace: 2m }}
health:
  tool: bash
  ready: {{ http: /health, port: http, every: 10s, timeout: 5s }}
  live: {{ tcp: http, every: 30s, timeout: 5s, failures: 6 }}
  start: 5m
update: {{ pause: 30s, healthy: "curl -fsS localhost:{{{{ ports.http }}}}/health" }}
accept:
  - {{ gap: fleet/health.live, because: "an alert calls a person" }}
targets:
  kubernetes: {{ version: "1.34", namespace: search }}
  fleet: {{ version: "1.0.0" }}
  swarm: {{ engine: "20.10" }}
"#,
        known = known.join(", "),
        seeds = listed(members, "{{ members | join(',') }}"),
    )
}

/// Returns a spec with each member on its own node, with its data there.
fn pinned(n: usize, members: usize, port: usize, peer: usize) -> String {
    let name = name(n);
    let at: Vec<String> = (1..=members).map(|m| format!("{m}: {}", address(n, m))).collect();
    format!(
        r#"service: {name}
image: registry.example.com/coordination:3.9.3
user: "1000:1000"
env:
  ID: "{{{{ member.id }}}}"
  SERVERS: "{servers}"
members: {{ count: {members}, first: 1, pin: {{ label: {name}, at: {{ {at} }} }} }}
resources: {{ cpu: 500m, memory: 2Gi }}
exclusive:
  id: true
  hostname: true
  data: {{ data: {{ mount: /data, host: "/mnt/d1/{name}-{{{{ member.id }}}}", size: 20Gi }} }}
  ports: {{ client: {port}, peer: {peer} }}
stop: {{ grace: 30s }}
health:
  tool: nc
  ready: {{ run: [sh, -c, "echo ok | nc -w 2 localhost {{{{ ports.client }}}}"], every: 10s, timeout: 5s }}
update: {{ pause: 20s, healthy: "echo ok | nc -w 2 localhost {{{{ ports.client }}}}" }}
targets:
  kubernetes: {{ version: "1.34", namespace: coordination }}
  fleet: {{ version: "1.0.0" }}
  swarm: {{ engine: "20.10", network: coordination }}
"#,
        at = at.join(", "),
        servers =
            listed(members, "{% for m in members %}{{ m.id }}={{ m.address }}:{{ ports.peer }} {% endfor %}"),
    )
}

/// Returns a spec whose members move with their volumes on Kubernetes, and are pinned elsewhere.
fn volume(n: usize, members: usize, port: usize, peer: usize) -> String {
    let name = name(n);
    format!(
        r#"service: {name}
image: registry.example.com/stream:3.9.0
user: "1000:1000"
env:
  ID: "{{{{ member.id }}}}"
  VOTERS: "{voters}"
  ADVERTISED: "{{{{ member.address }}}}:{{{{ ports.client }}}}"
members: {{ count: {members} }}
resources: {{ cpu: "2", memory: 6Gi }}
exclusive:
  id: true
  hostname: true
  data:
    data: {{ mount: /var/lib/stream, volume: {{ backend: ceph-rbd, size: 200Gi, class: ceph-block }} }}
  ports: {{ client: {port}, peer: {peer} }}
stop: {{ grace: 2m }}
health:
  tool: bash
  ready: {{ tcp: client, every: 10s, timeout: 3s }}
update: {{ pause: 30s }}
accept:
  - {{ gap: fleet/data/move, because: "a machine is restarted after its dockerd has crashed" }}
  - {{ gap: fleet/data/relabel, because: "the metadata of a running member is never moved" }}
  - {{ gap: swarm/data/move, because: "each volume is made before its node gets the label" }}
  - {{ gap: swarm/data/relabel, because: "the label of a running member is never moved" }}
targets:
  kubernetes: {{ version: "1.34", namespace: streams }}
  fleet: {{ version: "1.0.0", domain: streams.example.com, pin: {name} }}
  swarm: {{ engine: "20.10", network: streams, pin: {name} }}
"#,
        voters =
            listed(members, "{% for m in members %}{{ m.id }}@{{ m.address }}:{{ ports.peer }},{% endfor %}"),
    )
}
