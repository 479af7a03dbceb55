//! The table of keys for people: `config explain`, and docs/config.md.

use super::key::{Key, UnknownKey, nearest};
use super::node;
use super::topic_keys::{self, TOPIC_KEYS};

/// Explains one key of the node, or one topic config.
///
/// *Errors*: there is none of this name.
pub fn explain(name: &str) -> Result<String, UnknownKey> {
    if let Some(key) = node::find(name) {
        return Ok(explain_key(key));
    }
    if let Some(row) = topic_keys::find(name) {
        let lead = format!(
            "{name} (topic config; its default is the node's key {})\n",
            row.key.name
        );
        return Ok(lead + &facts(&row.key, "at once"));
    }
    let names = node::keys()
        .map(|key| key.name)
        .chain(TOPIC_KEYS.iter().map(|row| row.name));
    let nearest = nearest(name, names);
    let name = name.to_owned();
    Err(UnknownKey { name, nearest })
}

/// Explains every key of the node.
pub fn explain_all() -> String {
    let texts: Vec<String> = node::keys().map(explain_key).collect();
    texts.join("\n")
}

fn explain_key(key: &Key) -> String {
    match topic_keys::find_by_key(key.name) {
        None => format!("{}\n", key.name) + &facts(key, "at a restart"),
        Some(row) => {
            let lead = format!("{} (default of the topic config {})\n", key.name, row.name);
            lead + &facts(
                key,
                "at a restart, or at once through AlterConfigs on a broker",
            )
        }
    }
}

fn facts(key: &Key, takes_effect: &str) -> String {
    let unit = key
        .unit
        .name()
        .map_or_else(String::new, |unit| format!("  unit     {unit}\n"));
    format!(
        "  {}\n{unit}  default  {}\n  range    {}\n  changes  {takes_effect}\n",
        key.doc.trim(),
        default_text(key),
        key.kind.range(),
    )
}

fn default_text(key: &Key) -> &'static str {
    match key.default {
        None => "(not set)",
        Some("") => "(empty)",
        Some(default) => default,
    }
}

/// Returns docs/config.md.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Configuration\n\
         \n\
         Written by the table in `src/config/`; a test compares them \
         (`UPDATE_DOCS=1 cargo test config` writes this file anew).\n\
         \n\
         ## Keys of a node\n\
         \n\
         In the file of `riverrun serve --config FILE` (TOML: `log.retention.ms = 60000`, or `[log]` \
         and `retention.ms = 60000`), or as `--set key=value`, which wins. `riverrun config explain \
         KEY` says the same as this table.\n\
         \n\
         | key | default | range | unit | what it does |\n\
         |---|---|---|---|---|\n",
    );
    for key in node::keys() {
        text += &line(
            key.name,
            key,
            &default_text(key).replace("(not set)", "not set"),
        );
    }
    text += "\n## Configs of a topic\n\
         \n\
         Set when a topic is created, or later with AlterConfigs or IncrementalAlterConfigs, and \
         obeyed at once. What a topic does not set, it takes from the node's key, which may itself be \
         changed while the node runs: for one broker, or for all of them. Any other name is refused \
         with INVALID_CONFIG.\n\
         \n\
         | topic config | node's key | range | unit | what it does |\n\
         |---|---|---|---|---|\n";
    for row in TOPIC_KEYS {
        text += &line(row.name, &row.key, &format!("`{}`", row.key.name));
    }
    text
}

fn line(name: &str, key: &Key, second: &str) -> String {
    let second = if second.contains(['`', ' ']) {
        second.to_owned()
    } else {
        format!("`{second}`")
    };
    let unit = key.unit.name().unwrap_or_default();
    let (range, doc) = (key.kind.range(), key.doc.trim());
    format!("| `{name}` | {second} | {range} | {unit} | {doc} |\n")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_documentation_is_what_the_table_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/config.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, markdown()).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap();
        assert!(
            kept == markdown(),
            "docs/config.md is old: UPDATE_DOCS=1 cargo test config"
        );
    }

    #[test]
    fn a_key_is_explained_with_all_that_its_row_says() {
        assert_eq!(
            explain("num.partitions").unwrap(),
            "num.partitions\n\
             \u{20} How many partitions a topic has whose creator does not say.\n\
             \u{20} default  1\n\
             \u{20} range    1 to 10000\n\
             \u{20} changes  at a restart\n"
        );
        let text = explain("log.retention.ms").unwrap();
        for part in [
            "default of the topic config retention.ms",
            "milliseconds",
            "604800000",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(
            explain("retention.ms")
                .unwrap()
                .contains("log.retention.ms")
        );
        assert_eq!(
            explain("num.partition").unwrap_err().nearest,
            Some("num.partitions")
        );
        assert_eq!(
            explain_all().matches("  default  ").count(),
            node::keys().count()
        );
    }
}
