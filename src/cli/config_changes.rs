//! Changes of configurations: from what was typed to what is said when they are made.

use std::collections::BTreeMap;

use client::admin::ConfigChange;
use serde_json::{Value, json};

use super::args::Setting;

/// Makes changes of keys to set and of keys to put back to their defaults.
pub(super) fn changes(set: &[Setting], unset: &[String]) -> Vec<ConfigChange> {
    let set = set.iter().map(|Setting { key, value }| ConfigChange {
        name: key.clone(),
        value: Some(value.clone()),
    });
    let unset = unset.iter().map(|key| ConfigChange {
        name: key.clone(),
        value: None,
    });
    set.chain(unset).collect()
}

/// Says what was changed, a line each.
pub(super) fn told(subject: &str, changes: &[ConfigChange]) -> String {
    let line = |ConfigChange { name, value }: &ConfigChange| match value {
        Some(value) => format!("{subject}: {name} = {value}\n"),
        None => format!("{subject}: {name} is the default\n"),
    };
    changes.iter().map(line).collect()
}

/// Says what was changed: the value of each key, null for the default.
pub(super) fn document(changes: &[ConfigChange]) -> Value {
    let pair = |change: &'_ ConfigChange| (change.name.clone(), change.value.clone());
    json!(changes.iter().map(pair).collect::<BTreeMap<_, _>>())
}
