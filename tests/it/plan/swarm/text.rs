//! Free text passes unchanged through the variables of compose and the Go templates of Swarm.

use serde_json::{Value, json};

use super::{PER_NODE, PINNED, stack, tree};

const HOSTILE: [&str; 34] = [
    "",
    " leading",
    "trailing ",
    "a\nb\n",
    "\ttab",
    "quote \" and ' and \\",
    "{{",
    "}}",
    "{{.Node.Hostname}}",
    "{{{",
    "{ {{ } }} {{\"{{\"}}",
    "%n %%",
    "$",
    "$$",
    "$X ${Y} $(Z) $$A",
    "${X:?gone}",
    ": ",
    "a: b",
    " #c",
    "#c",
    "\u{2028}\u{feff}",
    "yes",
    "no",
    "~",
    "null",
    "1e3",
    "0x1F",
    "22:22",
    "007",
    "- a",
    "; rm -rf /",
    "*a &b !c",
    "[x, y]",
    "é😀",
];

/// Returns an expression that renders to this literal text.
fn literal(text: &str) -> String {
    // Text between braces and percent signs stays unchanged; the signs themselves come from a
    // string.
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '{' => out.push_str("{{ '{' }}"),
            c => out.push(c),
        }
    }
    out
}

fn yaml(text: &str) -> String {
    serde_json::to_string(text).unwrap().replace('\u{feff}', "\\ufeff")
}

/// Expands a value as the agent does (swarmkit `template/expand.go`, Go `text/template`): text
/// outside of actions, and two kinds of actions.
fn expand(text: &str, node: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, action)) = rest.split_once("{{") {
        out.push_str(before);
        // The lexer ends an action at the first `}}` outside of a string.
        let quoted = action.strip_prefix('"').and_then(|q| q.split_once("\"}}"));
        if let Some((string, after)) = quoted {
            assert!(!string.contains('\\') && !string.contains('"'), "{text:?}");
            out.push_str(string);
            rest = after;
        } else {
            let actions = [".Node.Hostname}}", "env \"BERTH_NODE\"}}"];
            let after = actions.into_iter().find_map(|a| action.strip_prefix(a));
            let after = after.unwrap_or_else(|| panic!("bad action in {text:?}"));
            out.push_str(node);
            rest = after;
        }
    }
    out + rest
}

#[test]
fn hostile_text_survives_in_every_field() {
    for text in HOSTILE {
        let value = yaml(&literal(text));
        let env = format!("env: {{ A: {value}, yes: {value}, \"n.1\": {value} }}\n");
        let mut spec = format!("{PINNED}command: [run, {value}]\nargs: [{value}]\n{env}");
        spec.push_str(&format!("annotations: {{ a: {} }}\n", yaml(text)));
        spec.push_str(&format!("health: {{ live: {{ run: [ask, {value}] }}, start: 60s }}\n"));
        spec.push_str(&format!(
            "helpers: {{ h: {{ image: h:1, command: [{value}], args: [{value}], env: {{ B: {value} }} }} }}\n"
        ));
        let stack = stack(&tree(&[&spec]), "db/swarm/db-1.yml");
        let member = &stack["services"]["db-1"];
        assert_eq!(member["entrypoint"], json!(["run", text]));
        assert_eq!(member["command"], json!([text]));
        assert_eq!(member["deploy"]["labels"]["a"], *text);
        assert_eq!(member["healthcheck"]["test"], json!(["CMD", "ask", text]));
        for name in ["A", "yes", "n.1"] {
            let value = member["environment"][name].as_str().unwrap_or_else(|| panic!("{name} of {text:?}"));
            assert_eq!(expand(value, "n"), text);
        }
        let each = super::service(&format!("{PINNED}args: [{{ each: peers, arg: {value} }}, x]\n"), "db-1");
        assert_eq!(each["command"], json!([text, "x"]));
        let helper = &stack["services"]["db-1-h"];
        assert_eq!((&helper["entrypoint"], &helper["command"]), (&json!([text]), &json!([text])));
        assert_eq!(expand(helper["environment"]["B"].as_str().unwrap(), "n"), text);
    }
}

#[test]
fn run_time_parts_are_expanded_between_hostile_text() {
    for before in HOSTILE {
        for after in ["", "}", "{", "{{", "$", "\n"] {
            let value = yaml(&format!("{}{{{{ member.node }}}}{}", literal(before), literal(after)));
            let spec = format!("{PER_NODE}env: {{ A: {value} }}\n");
            let stack = stack(&tree(&[&spec]), "db/swarm/db.yml");
            let value = stack["services"]["db"]["environment"]["A"].as_str().unwrap().to_owned();
            assert_eq!(expand(&value, "node-7"), format!("{before}node-7{after}"));
        }
    }
}

/// A config knows its node only through a variable, and only such a config is a Go template.
#[test]
fn rendered_files_keep_hostile_text() {
    for text in HOSTILE {
        let with = yaml(&format!("{}{{{{ member.node }}}}{}", literal(text), literal(text)));
        let more = format!(
            "files: {{ /a: {{ content: {with}, template: true }}, /b: {{ content: {}, template: true }} }}\n",
            yaml(&literal(&format!("{text}x")))
        );
        let tree = tree(&[&format!("{PER_NODE}{more}")]);
        let stack = stack(&tree, "db/swarm/db.yml");
        assert_eq!(expand(&tree["db/swarm/files/a"], "n-1"), format!("{text}n-1{text}"));
        assert_eq!(tree["db/swarm/files/b"], format!("{text}x"));
        assert_eq!(stack["configs"]["a"]["template_driver"], "golang");
        assert!(stack["configs"]["b"].get("template_driver").is_none());
        assert_eq!(stack["services"]["db"]["environment"]["BERTH_NODE"], "{{.Node.Hostname}}");
    }
    assert!(super::service(PER_NODE, "db").get("environment").is_none());
}

/// Each member has a config of its own, whose name follows from its text.
#[test]
fn a_rendered_file_differs_from_member_to_member() {
    let more = "files: { /a/f: { content: \"{{ member.id }} of {{ members | length }}\\n\", template: true }, /g: { content: \"{{ members | length }}\", template: true } }\n";
    let tree = tree(&[&format!("{PINNED}{more}")]);
    let files: Vec<&str> = tree.keys().filter_map(|path| path.strip_prefix("db/swarm/files/")).collect();
    assert_eq!(files, ["db-1.a-f", "db-2.a-f", "g"]);
    assert_eq!(tree["db/swarm/files/db-2.a-f"], "2 of 2\n");
    let config = |id: u32, key: &str| stack(&tree, &format!("db/swarm/db-{id}.yml"))["configs"][key].clone();
    assert_eq!(config(1, "a-f")["file"], "./files/db-1.a-f");
    assert_ne!(config(1, "a-f")["name"], config(2, "a-f")["name"]);
    assert_eq!(config(1, "g"), config(2, "g"));
}

#[test]
fn options_of_plugins_are_also_escaped() {
    for text in HOSTILE {
        let base =
            super::VOLUME.replace("BACKEND", &format!("scaleio, options: {{ \"a$k\": {} }}", yaml(text)));
        let spec = format!("{base}accept: [{{ gap: swarm/data/move, because: x }}]\n");
        let stack = stack(&tree(&[&spec]), "db/swarm/db-0.yml");
        let option = &stack["volumes"]["data"]["driver_opts"]["a$k"];
        assert_eq!(expand(option.as_str().unwrap(), "n"), text);
    }
}

#[test]
fn files_and_raw_additions_stay_unchanged() {
    for text in HOSTILE.into_iter().filter(|t| !t.is_empty()) {
        let hatch = format!(
            "service: {{ labels: {{ a: {0} }}, logging: {{ options: {{ {0}: {0} }} }} }}",
            yaml(text)
        );
        let spec = PINNED.replace("network: net", &format!("network: net, {hatch}"));
        let spec = format!("{spec}files: {{ /etc/x: {{ content: {} }} }}\n", yaml(text));
        let tree = tree(&[&spec]);
        assert_eq!(tree["db/swarm/files/etc-x"], text);
        let member = stack(&tree, "db/swarm/db-1.yml")["services"]["db-1"].clone();
        assert_eq!(member["labels"]["a"], text);
        let options: Vec<(&String, &Value)> =
            member["logging"]["options"].as_object().unwrap().iter().collect();
        assert_eq!(options, [(&text.to_owned(), &Value::from(text))]);
    }
}

#[test]
fn the_file_name_of_the_spec_stays_inside_the_comment() {
    let (tree, _) = crate::harness::compile(&[("a\nb: $c.yaml", PINNED)]);
    let tree = tree.unwrap();
    let first = tree["db/swarm/db-1.yml"].lines().next().unwrap().to_owned();
    assert_eq!(first, "# Generated by berthc from \"a\\nb: $c.yaml\". Do not edit.");
    stack(&tree, "db/swarm/db-1.yml");
}
