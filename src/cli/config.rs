//! `riverrun config`: what the keys mean, and what they are set to in a cluster.

use client::admin::{Config as Configuration, ConfigChange, ConfigResource, ConfigSource};
use client::blocking::{Admin, Cluster};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::args::{Config, ConfigPlace};
use super::config_changes::{changes, document, told};
use super::config_keys::{name, unknown, unknown_key};
use super::connect::{connect, missing};
use super::failure::Failure;
use super::stdout::Stdout;
use super::table::{Side, Table, or_dash};
use crate::config::{explain, explain_all};

/// Carries out one action.
pub(super) fn run(command: &Config) -> Result<(), Failure> {
    match command {
        Config::Explain { key } => explained(key.as_deref()),
        Config::Get { place, keys, all } => get(place, keys, *all),
        Config::Set { place, settings } => alter(place, &changes(settings, &[])),
        Config::Unset { place, keys } => alter(place, &changes(&[], keys)),
    }
}

/// Explains one key, or all of them.
fn explained(key: Option<&str>) -> Result<(), Failure> {
    let text = match key {
        Some(key) => explain(key)?,
        None => explain_all(),
    };
    let mut stdout = Stdout::open()?;
    stdout.write(text.as_bytes())?;
    Ok(stdout.flush()?)
}

fn get(place: &ConfigPlace, keys: &[String], all: bool) -> Result<(), Failure> {
    let mut cluster = connect(&place.bootstrap)?;
    let resource = place.owner.resource();
    let found = Admin::new(&mut cluster).configs(&resource);
    let mut configs = found.map_err(|error| absent(&cluster, &resource, error))?;
    configs.sort_by(|one, other| one.name.cmp(&other.name));
    if let Some(key) = keys
        .iter()
        .find(|&key| !configs.iter().any(|it| it.name == *key))
    {
        return Err(unknown(&resource, key));
    }
    let is_wanted = |config: &Configuration| match keys {
        [] => all || config.source != ConfigSource::Default,
        keys => keys.contains(&config.name),
    };
    configs.retain(is_wanted);
    let answer = Answer {
        text: text(&resource, &configs),
        json: json!({ "resource": name(&resource), "configs": object(&configs) }),
    };
    Ok(answer.print(place.output)?)
}

fn text(resource: &ConfigResource, configs: &[Configuration]) -> String {
    if configs.is_empty() {
        return match resource {
            ConfigResource::Brokers => "nothing is set for all brokers\n".to_owned(),
            _ => "every configuration has its default (show them: --all)\n".to_owned(),
        };
    }
    let mut table = Table::new([
        ("key", Side::Left),
        ("value", Side::Left),
        ("from", Side::Left),
        ("default", Side::Left),
    ]);
    for config in configs {
        let value = match &config.value {
            _ if config.is_secret => "(hidden)".to_owned(),
            value => shown(value.as_deref()),
        };
        table.row([
            config.name.clone(),
            value,
            source(config.source).to_owned(),
            shown(config.default.as_deref()),
        ]);
    }
    table.to_string()
}

/// An empty value is not the same as none.
fn shown(value: Option<&str>) -> String {
    or_dash(value.map(|value| if value.is_empty() { "\"\"" } else { value }))
}

fn object(configs: &[Configuration]) -> Value {
    let entry = |config: &Configuration| {
        let value = json!({
            "value": config.value,
            "source": source(config.source),
            "default": config.default,
            "own": config.is_own,
            "read_only": config.is_read_only,
            "secret": config.is_secret,
        });
        (config.name.clone(), value)
    };
    Value::Object(configs.iter().map(entry).collect::<Map<_, _>>())
}

fn alter(place: &ConfigPlace, changes: &[ConfigChange]) -> Result<(), Failure> {
    let mut cluster = connect(&place.bootstrap)?;
    let resource = place.owner.resource();
    let unknown = unknown_key(&mut cluster, &resource, changes);
    if let Some(unknown) = unknown.map_err(|error| absent(&cluster, &resource, error))? {
        return Err(unknown);
    }
    let altered = Admin::new(&mut cluster).alter_configs(&resource, changes);
    altered.map_err(|error| absent(&cluster, &resource, error))?;
    let name = name(&resource);
    let answer = Answer {
        text: told(&name, changes),
        json: json!({ "resource": name, "configs": document(changes) }),
    };
    Ok(answer.print(place.output)?)
}

fn source(source: ConfigSource) -> &'static str {
    match source {
        ConfigSource::Topic => "topic",
        ConfigSource::Broker => "broker",
        ConfigSource::Brokers => "all brokers",
        ConfigSource::File => "file",
        ConfigSource::Default => "default",
        ConfigSource::Other => "other",
    }
}

/// Says that a topic or a broker is not there, if that is what went wrong.
fn absent(cluster: &Cluster, resource: &ConfigResource, error: client::Error) -> Failure {
    match (resource, error) {
        (ConfigResource::Topic(name), error) => missing(name, error),
        (ConfigResource::Broker(_), client::Error::UnknownNode { node }) => {
            let known = cluster.metadata().brokers.keys();
            let known: Vec<String> = known.map(ToString::to_string).collect();
            let known = known.join(", ");
            format!("the cluster has no broker {node} that is up, it has {known}").into()
        }
        (_, error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_with_source_and_default() {
        let config = |name: &str, value: Option<&str>, is_secret| Configuration {
            name: name.into(),
            value: value.map(str::to_owned),
            source: ConfigSource::Topic,
            default: Some("1".into()),
            is_own: true,
            is_read_only: false,
            is_secret,
        };
        let configs = [
            config("a", Some("2"), false),
            config("empty", Some(""), false),
            config("secret", None, true),
        ];
        let topic = ConfigResource::Topic("t".into());
        assert_eq!(
            text(&topic, &configs),
            "key     value     from   default\n\
             a       2         topic  1\n\
             empty   \"\"        topic  1\n\
             secret  (hidden)  topic  1\n"
        );
        assert!(text(&topic, &[]).contains("--all"));
    }
}
