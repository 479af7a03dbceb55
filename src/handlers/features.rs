//! The features of this broker, and UpdateFeatures (57).
//!
//! A feature is advertised if what its level promises to clients is kept. Each stands at the one
//! level there is, so there is nothing to raise or to lower.

use std::collections::BTreeMap;

use server::{Reply, Request};
use types::{ErrorCode, NodeId};
use wire::messages::api_versions::{FinalizedFeature, SupportedFeature};
use wire::messages::update_features as update;

use crate::handlers::message::{answer, decode, outcome};
use crate::shard::Shard;

/// Results are told feature by feature below this version.
const WHOLE_VERSION: i16 = 2;

/// A feature at its one level.
struct Feature {
    name: &'static str,
    level: i16,
}

/// What this broker does as Kafka does it.
///
/// The metadata version is by what tools tell releases apart, and 30 is the level of Kafka 4.3, whose
/// requests are those served here. The levels of groups, transactions, streams and share groups
/// promise what is not served.
const FEATURES: &[Feature] = &[Feature {
    name: "metadata.version",
    level: 30,
}];

/// Returns what this broker can do.
pub(super) fn supported() -> Vec<SupportedFeature> {
    let supported = FEATURES.iter().map(|feature| SupportedFeature {
        name: feature.name.to_owned(),
        min_version: feature.level,
        max_version: feature.level,
    });
    supported.collect()
}

/// Returns what is in force.
pub(super) fn finalized() -> Vec<FinalizedFeature> {
    let finalized = FEATURES.iter().map(|feature| FinalizedFeature {
        name: feature.name.to_owned(),
        max_version_level: feature.level,
        min_version_level: feature.level,
    });
    finalized.collect()
}

/// Takes the levels that are in force; another one makes all of them fail.
pub(super) fn update_features(shard: &Shard, request: &Request) -> Reply {
    let body: update::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    // Of a feature that comes twice, Kafka takes the last word.
    let updates = body.feature_updates.iter();
    let wanted: BTreeMap<&str, &update::Update> = updates
        .map(|update| (update.feature.as_str(), update))
        .collect();
    let refused = wanted.into_values().find_map(|update| {
        let reason = check(shard.node(), update).err()?;
        let (level, feature) = (update.max_version_level, &update.feature);
        Some(format!(
            "The update failed for all features since the following feature had an error: \
             Invalid update version {level} for feature {feature}. {reason}"
        ))
    });
    let response = match refused {
        Some(reason) => update::Response {
            error_code: ErrorCode::InvalidUpdateVersion.code(),
            error_message: Some(reason),
            ..Default::default()
        },
        None => update::Response {
            results: each_in_force(body.feature_updates, request.version),
            ..Default::default()
        },
    };
    let codes = outcome([response.error_code]);
    answer(&response, request.version, codes)
}

fn each_in_force(updates: Vec<update::Update>, version: i16) -> Vec<update::FeatureResult> {
    let told = if version < WHOLE_VERSION {
        usize::MAX
    } else {
        0
    };
    let result = |update: update::Update| update::FeatureResult {
        feature: update.feature,
        error_code: ErrorCode::None.code(),
        error_message: Some(ErrorCode::None.name().to_owned()),
    };
    updates.into_iter().take(told).map(result).collect()
}

/// *Source*: the order of Kafka's checks, in `FeatureControlManager`.
fn check(node: NodeId, update: &update::Update) -> Result<(), String> {
    let kinds = [
        update::UPGRADE,
        update::DOWNGRADE_SAFE,
        update::DOWNGRADE_UNSAFE,
    ];
    if !kinds.contains(&update.upgrade_type) {
        return Err("The controller does not support the given upgrade type.".to_owned());
    }
    let level = update.max_version_level;
    if level < 0 {
        return Err("A feature version cannot be less than 0.".to_owned());
    }
    let name = &update.feature;
    match FEATURES.iter().find(|feature| feature.name == name) {
        Some(feature) if feature.level == level => Ok(()),
        Some(Feature { level, .. }) => Err(format!(
            "Local controller {node} only supports versions {level}-{level}"
        )),
        None if level == 0 => Err(format!("Feature {name} not found.")),
        None => Err(format!(
            "Local controller {node} does not support this feature."
        )),
    }
}
