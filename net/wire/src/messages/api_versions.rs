//! ApiVersions (18): what the broker serves; the first question of every connection.
//!
//! The response header is always the short one, and a request of an unknown version is answered
//! in version 0 with error 35, so that any client understands any broker.
//!
//! *Source*: KIP-35, KIP-511, KIP-584.

use types::error_code::ErrorCode;

use crate::api::{self, ApiKey};
use crate::schema::{call, message};

call!(ApiVersions);

message! {
    /// Asks what is served.
    pub struct Request {
        /// The client library's name: letters, digits, dots and dashes, else error 42.
        pub client_software_name: String [3+ ignorable],
        /// The client library's version: the same characters.
        pub client_software_version: String [3+ ignorable],
    }
}

message! {
    /// Tells what is served.
    pub struct Response {
        /// 0, 35 for a version of this API that is not served, 42 for a bad client name.
        pub error_code: i16 [0+],
        /// The APIs.
        pub api_keys: Vec<ApiVersion> [0+],
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [1+ ignorable],
        /// The features that this broker can do.
        pub supported_features: Vec<SupportedFeature> [3+ tag 0 ignorable],
        /// The version of the features in force; -1 if unknown.
        pub finalized_features_epoch: i64 [3+ tag 1 ignorable] default (-1),
        /// The features in force in the cluster.
        pub finalized_features: Vec<FinalizedFeature> [3+ tag 2 ignorable],
        /// Whether a migration from ZooKeeper is prepared: never, here.
        pub zk_migration_ready: bool [3+ tag 3 ignorable] default (false),
    }
}

message! {
    /// The versions of one API.
    pub struct ApiVersion {
        /// The API's number.
        pub api_key: i16 [0+],
        /// The lowest version.
        pub min_version: i16 [0+],
        /// The highest version.
        pub max_version: i16 [0+],
    }
}

message! {
    /// A feature that this broker can do.
    pub struct SupportedFeature {
        /// The feature's name.
        pub name: String [3+],
        /// The lowest level.
        pub min_version: i16 [3+],
        /// The highest level.
        pub max_version: i16 [3+],
    }
}

message! {
    /// A feature that is in force.
    pub struct FinalizedFeature {
        /// The feature's name.
        pub name: String [3+],
        /// The highest level in force.
        pub max_version_level: i16 [3+],
        /// The lowest level in force.
        pub min_version_level: i16 [3+],
    }
}

impl Response {
    /// Returns the answer to a request of `version`: the table of [`crate::api`], and of the
    /// features those that the client can take.
    ///
    /// *Source*: KAFKA-17492: clients below version 4 refuse an answer that names a feature whose
    /// lowest level is 0.
    pub fn advertising(version: i16, features: Vec<SupportedFeature>) -> Self {
        let bearable = |feature: &SupportedFeature| version >= 4 || feature.min_version > 0;
        Self {
            api_keys: api::table().iter().map(|api| entry(api.key)).collect(),
            supported_features: features.into_iter().filter(bearable).collect(),
            ..Self::default()
        }
    }

    /// Returns the answer to a request of a version that is not served; it is written as version
    /// 0, whatever the request's was.
    pub fn unsupported_version() -> Self {
        Self {
            error_code: ErrorCode::UnsupportedVersion.code(),
            api_keys: vec![entry(ApiKey::ApiVersions)],
            ..Self::default()
        }
    }
}

fn entry(key: ApiKey) -> ApiVersion {
    let advertised = key.api().advertised;
    ApiVersion {
        api_key: key.wire(),
        min_version: advertised.min,
        max_version: advertised.max,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    #[test]
    fn unsupported_version_is_answered_in_the_bytes_of_version_0() {
        let body = Response::unsupported_version().encode(0).unwrap();
        let want = [0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4];
        assert_eq!(body.into_bytes(), &want[..]);
    }

    #[test]
    fn tagged_fields_at_their_default_are_never_written() {
        let response = Response::default();
        let body = response.encode(3).unwrap().into_bytes();
        // Error, empty array, throttle time, and a count of tagged fields that is zero.
        assert_eq!(body, &[0, 0, 1, 0, 0, 0, 0, 0][..]);
    }

    #[test]
    fn features_from_level_0_are_hidden_from_clients_below_version_4() {
        let feature = |name: &str, min_version| SupportedFeature {
            name: name.into(),
            min_version,
            max_version: 1,
        };
        let features = vec![feature("group.version", 0), feature("metadata.version", 7)];
        let names = |version| {
            let response = Response::advertising(version, features.clone());
            let names = response.supported_features.into_iter().map(|it| it.name);
            names.collect::<Vec<_>>()
        };
        assert_eq!(names(3), ["metadata.version"]);
        assert_eq!(names(4), ["group.version", "metadata.version"]);
    }
}
