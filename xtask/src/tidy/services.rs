//! The lines that each service has outside of its crate: forgetting one is a fault here, not a surprise later.
use crate::repo::Tree;

/// Where a service has a line, and what is in it, `NAME` standing for the service.
const LINES: &[(&str, &str)] = &[
    ("README.md", "(services/NAME/README.md)"),
    ("Cargo.toml", "opsctl-NAME = { path = \"services/NAME\" }"),
    ("cli/Cargo.toml", "\nopsctl-NAME"),
    ("cli/src/plugins.rs", "opsctl_NAME::"),
    ("tests/main.rs", "mod NAME;"),
    ("xtask/src/demo/services.rs", "mod NAME;"),
];

pub(super) fn lines(tree: &Tree) -> Vec<String> {
    let services = tree.crates_in("services");
    let mut faults = Vec::new();
    for service in &services {
        for (path, line) in LINES {
            let line = of(line, service);
            if !tree.get(path).is_some_and(|text| text.contains(&line)) {
                faults.push(format!("{path}: has no line for the service `{service}`: `{line}`"));
            }
        }
        // a tool has no table
        let is_service =
            tree.get("cli/src/plugins.rs").is_some_and(|text| text.contains(&of("service::<opsctl_NAME::", service)));
        let table = format!("\n[{service}]\n");
        if is_service && !tree.get("config/opsctl.toml").is_some_and(|text| text.contains(&table)) {
            faults.push(format!("config/opsctl.toml: has no table `[{service}]`"));
        }
    }
    let plugins = tree.get("cli/src/plugins.rs").unwrap_or_default();
    let named =
        plugins.match_indices("opsctl_").filter_map(|(at, prefix)| plugins[at + prefix.len()..].split_once("::"));
    for (name, _) in named.filter(|(name, _)| name.chars().all(|c| c.is_ascii_lowercase())) {
        if !services.contains(&name) && !tree.crates_in("libs").contains(&name) {
            faults.push(format!("cli/src/plugins.rs: `opsctl_{name}` has no folder in `services`"));
        }
    }
    faults
}

fn of(line: &str, service: &str) -> String {
    line.replace("NAME", service)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 8] = [
        ("Cargo.toml", "opsctl-finger = { path = \"services/finger\" }"),
        ("README.md", "[`finger`](services/finger/README.md)"),
        ("cli/Cargo.toml", "[dependencies]\nopsctl-finger.workspace = true"),
        ("cli/src/plugins.rs", "use opsctl_host::{Plugin}; service::<opsctl_finger::Finger>(),"),
        ("config/opsctl.toml", "# Finger.\n[finger]\n"),
        ("libs/host/Cargo.toml", ""),
        ("services/finger/Cargo.toml", ""),
        ("tests/main.rs", "mod finger;"),
    ];

    #[test]
    fn a_tool_has_all_lines_but_a_table() {
        let table = |word: &str| format!("{word}::<opsctl_finger::Finger>(),");
        let (service, tool) = (table("service"), table("tool"));
        for (plugins, faults) in [(&service, 1), (&tool, 0)] {
            let mut files = GOOD.to_vec();
            files.retain(|(path, _)| !["cli/src/plugins.rs", "config/opsctl.toml"].contains(path));
            files.extend([("xtask/src/demo/services.rs", "mod finger;"), ("cli/src/plugins.rs", plugins.as_str())]);
            assert_eq!(lines(&Tree::of(&files)).len(), faults, "{plugins}");
        }
    }

    #[test]
    fn each_line_is_asked_for() {
        let good = [&GOOD[..], &[("xtask/src/demo/services.rs", "mod finger;")]].concat();
        assert!(lines(&Tree::of(&good)).is_empty(), "{:?}", lines(&Tree::of(&good)));
        for (at, (path, _)) in good.iter().enumerate().filter(|(_, (path, _))| !path.ends_with("s/finger/Cargo.toml")) {
            let mut files = good.clone();
            files.remove(at);
            assert_eq!(lines(&Tree::of(&files)).len(), 1, "without {path}");
        }
    }
}
