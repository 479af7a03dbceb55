//! What is asked of the cluster about quotas, and what is said about the answer.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use client::admin::{EntityFilter, QuotaChange, QuotaEntity, Quotas};
use client::blocking::{Admin, Cluster};
use serde_json::{Value, json};

use crate::cli::args::{Entity, OutputFormat, Quota, QuotaAction, Rate};
use crate::cli::connect::connect;
use crate::cli::failure::Failure;
use crate::cli::stdout::Stdout;
use crate::cli::table::plain;

/// Whole lines for a person, one document for a machine.
type Answer = (String, Value);

/// Carries out one action.
pub(in crate::cli) fn run(command: &Quota) -> Result<(), Failure> {
    let mut cluster = connect(&command.bootstrap)?;
    let (text, json) = match &command.action {
        QuotaAction::List => list(&mut cluster)?,
        QuotaAction::Describe { entity } => describe(&mut cluster, &entity_of(entity))?,
        QuotaAction::Set { entity, quotas } => {
            let set = quotas.iter().map(|Rate { key, value }| QuotaChange {
                key: key.clone(),
                value: Some(*value),
            });
            alter(&mut cluster, &entity_of(entity), &set.collect::<Vec<_>>())?
        }
        QuotaAction::Unset { entity, quotas } => {
            let unset = quotas.iter().map(|key| QuotaChange {
                key: key.clone(),
                value: None,
            });
            let entity = entity_of(entity);
            check_known(&mut cluster, &entity, quotas)?;
            alter(&mut cluster, &entity, &unset.collect::<Vec<_>>())?
        }
    };
    let mut stdout = Stdout::open()?;
    match command.output {
        OutputFormat::Text => stdout.write(text.as_bytes())?,
        OutputFormat::Json => stdout.line(&json)?,
    }
    Ok(stdout.flush()?)
}

/// The parts that were typed; an address stands alone.
fn entity_of(typed: &Entity) -> QuotaEntity {
    let kinds = [
        ("user", &typed.user, typed.default_user),
        ("client-id", &typed.client_id, typed.default_client_id),
        ("ip", &typed.ip, typed.default_ip),
    ];
    let given = kinds
        .into_iter()
        .filter(|(_, name, is_default)| name.is_some() || *is_default);
    given
        .map(|(kind, name, _)| (kind.to_owned(), name.clone()))
        .collect()
}

fn list(cluster: &mut Cluster) -> Result<Answer, Failure> {
    let mut all = Admin::new(cluster).quotas(&BTreeMap::new())?;
    all.sort_by(|(left, _), (right, _)| left.cmp(right));
    let named: Vec<(String, &Quotas)> = all
        .iter()
        .map(|(entity, quotas)| (words(entity), quotas))
        .collect();
    let width = named.iter().map(|(name, _)| name.chars().count()).max();
    let width = width.unwrap_or(0).max(6);
    let mut text = if named.is_empty() {
        "no quotas; set one: riverrun quota set --client-id NAME producer_byte_rate=NUMBER\n"
            .to_owned()
    } else {
        format!("{:width$}  {:24}  value\n", "entity", "quota")
    };
    for (name, quotas) in &named {
        for (key, value) in *quotas {
            writeln!(text, "{name:width$}  {key:24}  {value}")?;
        }
    }
    let rows = all.iter().map(|(entity, quotas)| document(entity, quotas));
    Ok((text, Value::Array(rows.collect())))
}

/// Asks for the quotas of exactly one entity.
fn quotas_of(cluster: &mut Cluster, entity: &QuotaEntity) -> Result<Quotas, client::Error> {
    let filter = |name: &Option<String>| match name {
        Some(name) => EntityFilter::Name(name.clone()),
        None => EntityFilter::Default,
    };
    let filters = entity
        .iter()
        .map(|(kind, name)| (kind.clone(), filter(name)));
    let found = Admin::new(cluster).quotas(&filters.collect())?;
    // Those with more parts match too.
    let own = found.into_iter().find(|(found, _)| found == entity);
    Ok(own.map(|(_, quotas)| quotas).unwrap_or_default())
}

/// Refuses a quota that there is not: a broker takes it away without a word.
fn check_known(
    cluster: &mut Cluster,
    entity: &QuotaEntity,
    quotas: &[String],
) -> Result<(), Failure> {
    let known: &[&str] = if entity.contains_key("ip") {
        &["connection_creation_rate"]
    } else {
        &[
            "producer_byte_rate",
            "consumer_byte_rate",
            "request_percentage",
            "controller_mutation_rate",
        ]
    };
    let is_known = |key: &String| known.contains(&key.as_str());
    if quotas.iter().all(is_known) {
        return Ok(());
    }
    // Brokers may have more of them than we know.
    let set = quotas_of(cluster, entity)?;
    let is_unknown = |key: &&String| !is_known(key) && !set.contains_key(*key);
    match quotas.iter().find(is_unknown) {
        Some(key) => {
            let (name, known) = (words(entity), known.join(", "));
            Err(format!("{name}: there is no quota {key}, there are: {known}").into())
        }
        None => Ok(()),
    }
}

fn describe(cluster: &mut Cluster, entity: &QuotaEntity) -> Result<Answer, Failure> {
    let quotas = quotas_of(cluster, entity)?;
    let name = words(entity);
    let mut text = String::new();
    if quotas.is_empty() {
        writeln!(text, "{name}: no quotas")?;
    }
    for (key, value) in &quotas {
        writeln!(text, "{name}: {key} = {value}")?;
    }
    Ok((text, document(entity, &quotas)))
}

fn alter(
    cluster: &mut Cluster,
    entity: &QuotaEntity,
    changes: &[QuotaChange],
) -> Result<Answer, Failure> {
    let name = words(entity);
    let altered = Admin::new(cluster).alter_quotas(entity, changes);
    altered.map_err(|error| match error {
        client::Error::Refused { refusal, .. } => Failure::from(format!("{name}: {refusal}")),
        other => other.into(),
    })?;
    let mut text = String::new();
    for QuotaChange { key, value } in changes {
        match value {
            Some(value) => writeln!(text, "{name}: {key} = {value}")?,
            None => writeln!(text, "{name}: {key} is not set")?,
        }
    }
    let changed: BTreeMap<&str, Option<f64>> = changes
        .iter()
        .map(|change| (change.key.as_str(), change.value))
        .collect();
    Ok((text, json!({ "entity": entity, "quotas": changed })))
}

fn document(entity: &QuotaEntity, quotas: &Quotas) -> Value {
    json!({ "entity": entity, "quotas": quotas })
}

fn words(entity: &QuotaEntity) -> String {
    let part = |(kind, name): (&String, &Option<String>)| {
        format!("{kind} {}", plain(name.as_deref().unwrap_or("(default)")))
    };
    entity.iter().map(part).collect::<Vec<_>>().join(", ")
}
