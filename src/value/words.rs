//! The words of the language of values, with an example of each: the names, the statements and
//! operators, and the filters.

/// A word of the language.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    /// The word as it is written.
    pub name: &'static str,
    /// What it means.
    pub what: &'static str,
    /// A value that uses it in the member `db-2`, of three members.
    pub example: &'static str,
    /// What the example gives.
    pub gives: &'static str,
}

const fn word(name: &'static str, what: &'static str, example: &'static str, gives: &'static str) -> Word {
    Word { name, what, example, gives }
}

/// The names that a value may use.
pub const NAMES: [Word; 15] = [
    word("service", "the name of the service", "{{ service }}", "db"),
    word("ports", "the ports of the service, by name", "{{ ports.client }}", "5000"),
    word("member", "the member itself; alone, it is its address", "{{ member }}", "10.0.0.2"),
    word("member.id", "the id; not with `per: node`", "{{ member.id }}", "2"),
    word("member.name", "the name, `SERVICE-ID`; not with `per: node`", "{{ member.name }}", "db-2"),
    word("member.address", "the address at which others reach it", "{{ member.address }}", "10.0.0.2"),
    word("member.node", "the name of its node, known when the container runs", "{{ member.node }}", "node-b"),
    word("member.ports", "the same as `ports`", "{{ member.ports.client }}", "5000"),
    word(
        "members",
        "all members, each with `id`, `name`, `address` and `ports`",
        "{{ members | join(',') }}",
        "10.0.0.1,10.0.0.2,10.0.0.3",
    ),
    word(
        "peers",
        "the members of another service, or of an external one, as `members` lists them",
        "{{ peers('other') | length }}",
        "3",
    ),
    word("secret", "the secret itself, in an environment variable", "{{ secret('password') }}", "…"),
    word(
        "secret.path",
        "the path of a file with the secret",
        "{{ secret('password').path }}",
        "/run/secrets/password",
    ),
    word(
        "it",
        "in an item of `command` or `args` with `each`: one member of the list",
        "--join={{ it.address }}",
        "--join=10.0.0.1, and so on",
    ),
    word(
        "loop.index",
        "in a loop: the number of the turn, from 1; `loop.index0` counts from 0",
        "{% for m in members %}{{ loop.index }}{% endfor %}",
        "123",
    ),
    word(
        "loop.last",
        "in a loop: whether this is the last turn; `loop.first` is the first",
        "{% for m in members %}{{ m.id }}{% if not loop.last %}-{% endif %}{% endfor %}",
        "1-2-3",
    ),
];

/// The statements and operators.
pub const STATEMENTS: [Word; 9] = [
    word(
        "for",
        "a loop over a list, also with a condition",
        "{% for m in members if m.id > 1 %}[{{ m.name }}]{% endfor %}",
        "[db-2][db-3]",
    ),
    word("if", "a condition, with `elif` and `else`", "{% if service == 'db' %}a{% else %}b{% endif %}", "a"),
    word("else", "one of two values", "{{ 'a' if service == 'db' else 'b' }}", "a"),
    word(
        "[…]",
        "an item or a part of a list or a text",
        "{{ members[:2] | join(' ') }}",
        "10.0.0.1 10.0.0.2",
    ),
    word("+", "a sum with a number; also `-`, `/`, `//` and `%`", "{{ ports.client + 1 }}", "5001"),
    word(
        "==",
        "a comparison; also `!=`, `<`, `<=`, `>`, `>=` and `in`",
        "{{ 'y' if 'd' in service else 'n' }}",
        "y",
    ),
    word("and", "both conditions; also `or` and `not`", "{{ 'y' if true and not false else 'n' }}", "y"),
    word("raw", "text that is not read as an expression", "{% raw %}{{ a }}{% endraw %}", "{{ a }}"),
    word("#", "a comment", "a{# not printed #}b", "ab"),
];

/// The filters.
pub const FILTERS: [Word; 7] = [
    word(
        "join",
        "joins a list; members give their addresses",
        "{{ members[1:] | join(';') }}",
        "10.0.0.2;10.0.0.3",
    ),
    word("default", "another value for an empty one", "{{ '' | default('x', true) }}", "x"),
    word("first", "the first item", "{{ members | first }}", "10.0.0.1"),
    word("last", "the last item", "{{ (members | last).name }}", "db-3"),
    word("length", "the number of items or characters", "{{ members | length }}", "3"),
    word("lower", "lower case", "{{ 'DB' | lower }}", "db"),
    word("upper", "upper case", "{{ service | upper }}", "DB"),
];
