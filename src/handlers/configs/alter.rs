//! Changing configurations: the controller decides, every shard obeys.

use std::collections::BTreeSet;
use std::rc::Rc;

use controller::request::{ConfigAlteration, ConfigChanges, ConfigOperation, ConfigResource, Mode};
use controller::{DecideError, Reply as Controlled, Request as Control};
use server::{Reply, Request};
use types::ErrorCode;
use wire::messages::describe_configs::RESOURCE_TOPIC;
use wire::messages::incremental_alter_configs::{
    OPERATION_APPEND, OPERATION_DELETE, OPERATION_SET, OPERATION_SUBTRACT,
};
use wire::messages::{alter_configs as replace, incremental_alter_configs as edit};

use crate::drivers::controller::control;
use crate::handlers::failure;
use crate::handlers::message::{answer, decode, outcome};
use crate::shard::Shard;

use super::resource::{self, Refused};

/// Replaces all configurations of resources.
pub async fn alter_configs(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: replace::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let twice = repeated(&body.resources, |asked| {
        (asked.resource_type, &asked.resource_name)
    });
    let plan = |asked: &replace::Resource| {
        once(&twice, asked.resource_type, &asked.resource_name)?;
        distinct(asked.configs.iter().map(|config| config.name.as_str()))?;
        let mut configs = Vec::with_capacity(asked.configs.len());
        for config in &asked.configs {
            configs.push((
                config.name.clone(),
                value(&config.name, config.value.as_ref())?,
            ));
        }
        Ok(ConfigAlteration {
            resource: alterable(shard, asked.resource_type, &asked.resource_name)?,
            change: ConfigChanges::Replace(configs),
        })
    };
    let planned = body.resources.iter().map(plan).collect();
    let results = carry_out(shard, planned, body.validate_only).await;
    let responses: Vec<replace::ResourceResult> = body
        .resources
        .into_iter()
        .zip(results)
        .map(|(asked, result)| {
            let (error_code, error_message) = told(result);
            replace::ResourceResult {
                error_code,
                error_message,
                resource_type: asked.resource_type,
                resource_name: asked.resource_name,
            }
        })
        .collect();
    let codes = outcome(responses.iter().map(|response| response.error_code));
    let response = replace::Response {
        responses,
        ..Default::default()
    };
    answer(&response, request.version, codes)
}

/// Changes single configurations of resources.
pub async fn incremental_alter_configs(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: edit::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let twice = repeated(&body.resources, |asked| {
        (asked.resource_type, &asked.resource_name)
    });
    let plan = |asked: &edit::Resource| {
        once(&twice, asked.resource_type, &asked.resource_name)?;
        distinct(asked.configs.iter().map(|change| change.name.as_str()))?;
        let mut changes = Vec::with_capacity(asked.configs.len());
        for change in &asked.configs {
            changes.push((change.name.clone(), operation(change)?));
        }
        Ok(ConfigAlteration {
            resource: alterable(shard, asked.resource_type, &asked.resource_name)?,
            change: ConfigChanges::Edit(changes),
        })
    };
    let planned = body.resources.iter().map(plan).collect();
    let results = carry_out(shard, planned, body.validate_only).await;
    let responses: Vec<edit::ResourceResult> = body
        .resources
        .into_iter()
        .zip(results)
        .map(|(asked, result)| {
            let (error_code, error_message) = told(result);
            edit::ResourceResult {
                error_code,
                error_message,
                resource_type: asked.resource_type,
                resource_name: asked.resource_name,
            }
        })
        .collect();
    let codes = outcome(responses.iter().map(|response| response.error_code));
    let response = edit::Response {
        responses,
        ..Default::default()
    };
    answer(&response, request.version, codes)
}

/// What a request names more than once: types and names of resources.
type Repeated<'a> = BTreeSet<(i8, &'a String)>;

fn repeated<T>(resources: &[T], name: impl Fn(&T) -> (i8, &String)) -> Repeated<'_> {
    let mut seen = BTreeSet::new();
    resources
        .iter()
        .map(name)
        .filter(|&name| !seen.insert(name))
        .collect()
}

fn once(twice: &Repeated<'_>, kind: i8, name: &String) -> Result<(), Refused> {
    if twice.contains(&(kind, name)) {
        let text = "named more than once in one request".to_owned();
        return Err((ErrorCode::InvalidRequest, text));
    }
    Ok(())
}

/// Returns the resource that is to be changed. There are no configs of all topics.
fn alterable(shard: &Shard, kind: i8, name: &str) -> Result<ConfigResource, Refused> {
    if kind == RESOURCE_TOPIC && name.is_empty() {
        let text = "configs belong to one topic, with a name".to_owned();
        return Err((ErrorCode::InvalidRequest, text));
    }
    resource::named(shard, kind, name)
}

fn operation(change: &edit::Change) -> Result<ConfigOperation, Refused> {
    let value = || value(&change.name, change.value.as_ref());
    match change.config_operation {
        OPERATION_SET => value().map(ConfigOperation::Set),
        OPERATION_DELETE => Ok(ConfigOperation::Delete),
        OPERATION_APPEND => value().map(ConfigOperation::Append),
        OPERATION_SUBTRACT => value().map(ConfigOperation::Subtract),
        other => Err((
            ErrorCode::InvalidRequest,
            format!("there is no operation {other}"),
        )),
    }
}

/// Refuses a request that names a config twice, before it is asked whose.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Refused> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            let text = format!("config '{name}' is given twice");
            return Err((ErrorCode::InvalidRequest, text));
        }
    }
    Ok(())
}

fn value(name: &str, value: Option<&String>) -> Result<String, Refused> {
    let missing = || {
        (
            ErrorCode::InvalidRequest,
            format!("config '{name}' has no value"),
        )
    };
    value.cloned().ok_or_else(missing)
}

/// Sends what could be planned to the controller; results in the order asked.
async fn carry_out(
    shard: &Rc<Shard>,
    planned: Vec<Result<ConfigAlteration, Refused>>,
    validate_only: bool,
) -> Vec<Result<(), Refused>> {
    let resources: Vec<ConfigAlteration> = planned
        .iter()
        .filter_map(|planned| planned.as_ref().ok())
        .cloned()
        .collect();
    let mode = if validate_only {
        Mode::ValidateOnly
    } else {
        Mode::Commit
    };
    let request = Control::AlterConfigs { resources, mode };
    let whole = match control(&shard.mesh, request).await {
        Ok(Controlled::AlterConfigs(results)) => Ok(results),
        Ok(_) => Err((ErrorCode::UnknownServerError, String::new())),
        Err(error) => Err((failure::control_code(&error), failure::text(&error))),
    };
    let mut results = whole
        .as_ref()
        .map(|results| results.iter())
        .map_err(Clone::clone);
    planned
        .into_iter()
        .map(|planned| {
            let resource = planned?.resource;
            match &mut results {
                Ok(results) => match results.next() {
                    Some(Ok(())) => Ok(()),
                    Some(Err(error)) => Err((code(&resource, error), failure::text(error))),
                    None => Err((ErrorCode::UnknownServerError, String::new())),
                },
                Err(refused) => Err(refused.clone()),
            }
        })
        .collect()
}

/// Returns the code of what was refused. Of a broker's value, Kafka does not say that it is the config
/// that is wrong.
fn code(resource: &ConfigResource, error: &DecideError) -> ErrorCode {
    match (resource, error) {
        (
            ConfigResource::Broker(_) | ConfigResource::AllBrokers,
            DecideError::ConfigRefused { .. },
        ) => ErrorCode::InvalidRequest,
        _ => failure::decide_code(error),
    }
}

fn told(result: Result<(), Refused>) -> (i16, Option<String>) {
    match result {
        Ok(()) => (ErrorCode::None.code(), None),
        Err((code, text)) => (code.code(), Some(text)),
    }
}
