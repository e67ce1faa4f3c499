//! THE table: every service and tool that this binary has, in the order of their start.
//!
//! Adding one is the crate, one line here, one table in `config/opsctl.toml`, and one module in `tests/`.

use opsctl_host::{Plugin, service, tool};

/// The table.
pub(crate) const PLUGINS: &[Plugin] = &[
    #[cfg(feature = "encoder")]
    service::<opsctl_encoder::Encoder>(),
    service::<opsctl_finger::Finger>(),
    service::<opsctl_index::Index>(),
    tool::<opsctl_ps::Ps>(),
    #[cfg(feature = "encoder")]
    Plugin { hidden: true, ..tool::<opsctl_encoder::Worker>() },
    #[cfg(debug_assertions)]
    Plugin { hidden: true, ..service::<crate::lab::Lab>() },
];

/// Those that are shown in lists.
pub(crate) fn shown() -> impl Iterator<Item = &'static Plugin> {
    PLUGINS.iter().filter(|plugin| !plugin.hidden)
}

/// The plug-in of this name.
pub(crate) fn find(name: &str) -> Option<&'static Plugin> {
    PLUGINS.iter().find(|plugin| plugin.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn names_are_unique_lower_case_words_and_described() {
        let mut names = BTreeSet::new();
        for plugin in PLUGINS {
            assert!(names.insert(plugin.name), "`{}` is there twice", plugin.name);
            assert!(plugin.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", plugin.name);
            assert!(!plugin.about.is_empty() && !plugin.about.ends_with('.'), "{}", plugin.name);
        }
    }

    #[test]
    fn every_service_crate_is_in_the_table() {
        let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("../services");
        let folders = std::fs::read_dir(services).unwrap().filter_map(|entry| {
            let entry = entry.unwrap();
            let is_crate = entry.path().join("Cargo.toml").is_file();
            is_crate.then(|| entry.file_name().into_string().unwrap())
        });
        let folders: BTreeSet<_> = folders.collect();
        let table: BTreeSet<_> = shown().map(|plugin| plugin.name.to_owned()).collect();
        assert_eq!(table, folders);
    }
}
