//! Tests the language of values: valid and invalid expressions, and values that are known only at run
//! time.

use std::sync::Arc;

use berthc::code::Code;
use berthc::value::words::{FILTERS, NAMES, STATEMENTS, Word};
use berthc::value::{Fault, Part, Peer, Peers, Run, Scope, Text, Who, each, render, uses};

fn peer(id: u32) -> Peer {
    Peer { id: Some(id), name: format!("db-{id}"), address: Ok(format!("10.0.0.{id}")) }
}

fn peers() -> Peers {
    Peers { members: Arc::new((1..=3).map(peer).collect()), ports: Arc::new(vec![("client".into(), 5000)]) }
}

fn rendered(text: &str, who: Who) -> Result<Text, Fault> {
    let other = |name: &str| match name {
        "other" => Ok(peers()),
        _ => Err(Fault::new(Code::PeerNotOnTarget, "not here")),
    };
    let scope = Scope { service: "db", own: peers(), unlisted: None, who, peers: &other, secret: &|_| None };
    render(text, &uses(text)?, &scope)
}

fn literal(text: &str) -> String {
    rendered(text, Who::Known(peer(2))).unwrap().as_literal().unwrap().to_owned()
}

#[test]
fn literals_and_expressions_are_rendered() {
    for (text, is) in [
        ("plain", "plain"),
        ("100% $HOME %n", "100% $HOME %n"),
        ("ends with a newline {{ service }}\n", "ends with a newline db\n"),
        ("{{ service }}:{{ ports.client }}", "db:5000"),
        ("{{ member.id }} {{ member.name }} {{ member.address }} {{ member }}", "2 db-2 10.0.0.2 10.0.0.2"),
        ("{{ members | join(',') }}", "10.0.0.1,10.0.0.2,10.0.0.3"),
        ("{{ members[:2] | join(' ') }}", "10.0.0.1 10.0.0.2"),
        ("{{ peers('other')[0].address }}", "10.0.0.1"),
        ("{{ (peers('other') | first).ports.client }}", "5000"),
        (
            "{% for m in members %}{{ m.id }}={{ m }}{% if not loop.last %};{% endif %}{% endfor %}",
            "1=10.0.0.1;2=10.0.0.2;3=10.0.0.3",
        ),
        ("{% for m in members if m.id != 2 %}{{ m.id }}{% endfor %}", "13"),
        ("{{ secret('key').path }}", "/run/secrets/key"),
        ("{{ 'literal {{ braces }}' }}", "literal {{ braces }}"),
        ("{{ members | length }}", "3"),
        ("{{ member.id + 1 }}", "3"),
        ("{{ 'yes' if member.id == 2 else 'no' }}", "yes"),
    ] {
        assert_eq!(literal(text), is, "{text}");
    }
}

/// Returns the words of an item that makes several, for member 2.
fn items(list: &str, arg: &str) -> Vec<String> {
    let text = each(list, arg).unwrap().unwrap();
    let words = rendered(&text, Who::Known(peer(2))).unwrap().words();
    words.iter().map(|word| word.as_literal().unwrap().to_owned()).collect()
}

#[test]
fn an_item_makes_one_word_for_each_member() {
    assert_eq!(items("members", "a {{ it.id }}"), ["a 1", "a 2", "a 3"]);
    assert_eq!(items("peers", "{{ it.name }} of {{ member.id }}"), ["db-1 of 2", "db-3 of 2"]);
    assert_eq!(items("peers('other')", "{{ loop.index }}{"), ["1{", "2{", "3{"]);
    assert_eq!(items("members", ""), ["", "", ""]);
    assert_eq!(items("members", "{% if it.id == 2 %}x{% endif %}"), ["", "x", ""]);
    for hostile in ["a b", "{", "{{ '{{' }}", "%}", "\n", "$X", "{% raw %}{% endfor %}{% endraw %}"] {
        assert_eq!(items("members", hostile).len(), 3, "{hostile}");
    }
    let node = each("members", "{{ it.id }}@{{ member.node }}{{ secret('k') }}").unwrap().unwrap();
    let words = rendered(&node, Who::Token).unwrap().words();
    let last = [Part::Literal("3@".into()), Part::Run(Run::Node), Part::Secret("k".into())];
    assert_eq!((words.len(), words[2].0.as_slice()), (3, last.as_slice()));
}

#[test]
fn an_item_is_whole_and_its_list_is_one_of_members() {
    for list in [
        "",
        "member",
        "peers()",
        "peers('')",
        "peers('a') | first",
        "peers('a'",
        "members if true",
        "peers('A')",
    ] {
        assert!(each(list, "x").is_none(), "{list}");
    }
    for arg in [
        "{% endfor %}",
        "{% endfor %}{% for it in members %}",
        "{% for m in members %}",
        "{{ it",
        "{# x",
        "{% raw %}",
    ] {
        assert_eq!(each("members", arg).unwrap().map_err(|f| f.code), Err(Code::ValueSyntax), "{arg}");
    }
    let of =
        |list, arg| each(list, arg).unwrap().and_then(|text| rendered(&text, Who::Token)).map_err(|f| f.code);
    assert_eq!(of("peers", "{{ it.name }}"), Err(Code::RuntimeArithmetic));
    assert_eq!(of("members", "{{ its.name }}"), Err(Code::ValueName));
}

#[test]
fn run_time_parts_are_inserted() {
    let text = rendered("a{{ member.id }}b{{ member.node }}{{ secret('k') }}", Who::Token).unwrap();
    let parts = [
        Part::Literal("a".into()),
        Part::Run(Run::Id),
        Part::Literal("b".into()),
        Part::Run(Run::Node),
        Part::Secret("k".into()),
    ];
    assert_eq!(text.0, parts);
    assert_eq!(Text::from_marked(&text.marked()), text);
    assert_eq!(rendered("{{ member.node }}", Who::Known(peer(1))).unwrap().0, [Part::Run(Run::Node)]);
}

#[test]
fn computing_with_run_time_parts_is_refused() {
    for text in [
        "{{ member.id + 1 }}",
        "{{ member.name | upper }}",
        "{% if member.id == 1 %}x{% endif %}",
        "{% for m in members if m.id != member.id %}{{ m }}{% endfor %}",
        "{{ member.address if true else 'x' }}",
        "{{ members[member.id] }}",
        "{{ 'x' if member.name in 'db-1' else 'y' }}",
        "{{ member | upper }}",
        "{{ member['id'] + 1 }}",
        "{{ member[service] }}",
    ] {
        let refused = rendered(text, Who::Token).map_err(|f| f.code);
        assert_eq!(refused, Err(Code::RuntimeArithmetic), "{text}");
    }
    // A value can compute with a known member, but not with its node, which is unknown.
    assert_eq!(
        rendered("{% if member.node == 'a' %}x{% endif %}", Who::Known(peer(1))).map_err(|f| f.code),
        Err(Code::RuntimeArithmetic)
    );
    assert!(rendered("{{ member.ports.client }}", Who::Token).is_ok());
}

#[test]
fn unknown_names_and_failing_expressions_are_errors() {
    for (text, code) in [
        ("{{ memmber.id }}", Code::ValueName),
        ("{{ members[0].nam }}", Code::ValueName),
        ("{{ ports.nowhere }}", Code::ValueName),
        ("{{ peers('third') }}", Code::PeerNotOnTarget),
        ("{{ member.id", Code::ValueSyntax),
        ("{{ 1 / 0 }}", Code::ValueFails),
        ("{{ members }}", Code::ValueFails),
        ("{{ true }}", Code::ValueFails),
        ("{{ none }}", Code::ValueFails),
        ("{{ 7 % 0 }}", Code::ValueFails),
        ("{{ 'a' + 1 }}", Code::ValueFails),
        ("{{ 3 | length }}", Code::ValueFails),
        ("{% for m in 3 %}x{% endfor %}", Code::ValueFails),
        ("{{ 'a' if true }}", Code::ValueForbidden),
        ("{{ '\\u0000' }}", Code::CharacterForbidden),
        ("{% set x = 1 %}", Code::ValueForbidden),
        ("{% include 'x' %}", Code::ValueForbidden),
        ("{% macro m() %}{% endmacro %}", Code::ValueForbidden),
        ("{{ [1, 2] | join }}", Code::ValueForbidden),
        ("{{ service ~ service }}", Code::ValueForbidden),
        ("{{ service + service }}", Code::ValueForbidden),
        ("{{ service * 9 }}", Code::ValueForbidden),
        ("{{ range(3) }}", Code::ValueForbidden),
        ("{{ peers(service) }}", Code::ValueForbidden),
        ("{{ service | safe }}", Code::ValueForbidden),
        ("{% for a, b in members %}{% endfor %}", Code::ValueForbidden),
    ] {
        assert_eq!(rendered(text, Who::Known(peer(1))).map_err(|f| f.code), Err(code), "{text}");
    }
    let near = rendered("{{ membres }}", Who::Token).unwrap_err();
    assert_eq!(near.fix.unwrap().1, "members");
}

#[test]
fn a_missing_address_is_an_error_only_where_it_is_used() {
    let gone = Fault::new(Code::AddressUnknown, "nobody knows");
    let own = Peers {
        members: Arc::new(vec![Peer { id: Some(0), name: "db-0".into(), address: Err(gone.clone()) }]),
        ports: Arc::default(),
    };
    let none = |_: &str| Err(Fault::new(Code::PeerUnknown, ""));
    let scope =
        Scope { service: "db", own, unlisted: None, who: Who::Token, peers: &none, secret: &|_| None };
    let ask = |text: &str| render(text, &uses(text).unwrap(), &scope);
    assert_eq!(ask("{% for m in members %}{{ m.name }}{% endfor %}").unwrap().as_literal(), Some("db-0"));
    for text in [
        "{% for m in members %}{{ m.address }}{% endfor %}",
        "{{ members | join(',') }}",
        "{% for m in members %}{{ m }}{% endfor %}",
    ] {
        assert_eq!(ask(text).map_err(|f| f.code), Err(Code::AddressUnknown), "{text}");
    }
}

#[test]
fn the_examples_of_the_reference_give_what_they_promise() {
    for Word { name, example, gives, .. } in NAMES.iter().chain(&STATEMENTS).chain(&FILTERS) {
        // Known only when the container runs, a variable of its own, or an item of a command.
        if !["member.node", "secret", "it"].contains(name) {
            assert_eq!(literal(example), *gives, "{example}");
        }
    }
}
