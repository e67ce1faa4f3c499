//! Markers: `python_version < "3.9" and (os_name == 'nt' or extra == 'x')`. Their form, not their meaning.

/// What a marker can ask for (PEP 508, PEP 751), and the spellings of before.
const VARIABLES: &[&str] = &[
    "python_version",
    "python_full_version",
    "os_name",
    "sys_platform",
    "platform_release",
    "platform_system",
    "platform_version",
    "platform_machine",
    "platform_python_implementation",
    "implementation_name",
    "implementation_version",
    "extra",
    "extras",
    "dependency_groups",
    "os.name",
    "sys.platform",
    "platform.version",
    "platform.machine",
    "platform.python_implementation",
    "python_implementation",
];

/// Longer operators stand before those that they start with.
const OPERATORS: &[&str] = &["===", "<=", "!=", "==", ">=", "~=", "<", ">"];

/// Deepest nesting of parentheses.
const DEPTH_MAX: usize = 32;

pub(super) fn is_valid(text: &str) -> bool {
    either(text, 0).is_some_and(|rest| rest.trim().is_empty())
}

/// Each takes what it knows from the front and gives back the rest.
fn either(text: &str, depth: usize) -> Option<&str> {
    let mut rest = both(text, depth)?;
    while let Some(after) = word(rest, "or") {
        rest = both(after, depth)?;
    }
    Some(rest)
}

fn both(text: &str, depth: usize) -> Option<&str> {
    let mut rest = term(text, depth)?;
    while let Some(after) = word(rest, "and") {
        rest = term(after, depth)?;
    }
    Some(rest)
}

fn term(text: &str, depth: usize) -> Option<&str> {
    if let Some(inside) = text.trim_start().strip_prefix('(') {
        return if depth < DEPTH_MAX { either(inside, depth + 1)?.trim_start().strip_prefix(')') } else { None };
    }
    value(operator(value(text)?)?)
}

fn value(text: &str) -> Option<&str> {
    let text = text.trim_start();
    match text.chars().next()? {
        quote @ ('"' | '\'') => text.get(1..)?.split_once(quote).map(|(_, rest)| rest),
        _ => VARIABLES.iter().find_map(|variable| word(text, variable)),
    }
}

fn operator(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let symbol = OPERATORS.iter().find_map(|operator| text.strip_prefix(operator));
    symbol.or_else(|| word(text, "in")).or_else(|| word(word(text, "not")?, "in"))
}

/// `word` and no more of a name.
fn word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let rest = text.trim_start().strip_prefix(word)?;
    let goes_on = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    (!rest.starts_with(goes_on)).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, valid: bool) {
        assert_eq!(is_valid(text), valid, "{text}");
    }

    #[test]
    fn markers_have_a_grammar() {
        check("python_version<'3'", true);
        check("'3' > python_version", true);
        check("(os_name == \"nt\" or sys_platform not in 'a b') and extra=='x'", true);
        check("os.name == 'posix'", true);
        check(&format!("{}extra=='x'{}", "(".repeat(32), ")".repeat(32)), true);
        check(&format!("{}extra=='x'{}", "(".repeat(33), ")".repeat(33)), false);
        for wrong in [
            "",
            "python_version",
            "python_version <",
            "what == 'x'",
            "extra == 'x",
            "extra == 'x' and",
            "(extra == 'x'",
            "extra = 'x'",
            "extra == 'x' or or 'a' == extra",
            "extras2 == 'x'",
            "extra == 'x' 'y'",
        ] {
            check(wrong, false);
        }
    }
}
