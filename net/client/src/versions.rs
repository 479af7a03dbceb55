//! Which version of each API client and broker share.

use std::collections::BTreeMap;

use wire::api::{ApiKey, VersionRange};
use wire::messages::api_versions;

/// What one broker serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions(BTreeMap<i16, VersionRange>);

impl Versions {
    /// Takes what a broker told.
    pub fn of(response: &api_versions::Response) -> Self {
        let ranges = response.api_keys.iter().map(|api| {
            let range = VersionRange {
                min: api.min_version,
                max: api.max_version,
            };
            (api.api_key, range)
        });
        Self(ranges.collect())
    }

    /// Returns the highest version that both sides know, at most `version_max`; `None` if there is
    /// none.
    pub fn choose(&self, key: ApiKey, version_max: i16) -> Option<i16> {
        let ours = key.api().served;
        let ours = VersionRange {
            min: ours.min,
            max: ours.max.min(version_max),
        };
        if ours.min > ours.max {
            return None;
        }
        ours.highest_common(*self.0.get(&key.wire())?)
    }

    /// Returns whether the broker serves some version of an API that we know.
    pub fn serves(&self, key: ApiKey) -> bool {
        self.choose(key, i16::MAX).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(min_version: i16, max_version: i16) -> Versions {
        let api = api_versions::ApiVersion {
            api_key: ApiKey::Fetch.wire(),
            min_version,
            max_version,
        };
        Versions::of(&api_versions::Response {
            api_keys: vec![api],
            ..Default::default()
        })
    }

    #[test]
    fn the_highest_common_version_is_chosen() {
        assert_eq!(versions(0, 11).choose(ApiKey::Fetch, i16::MAX), Some(11));
        assert_eq!(versions(0, 99).choose(ApiKey::Fetch, i16::MAX), Some(18));
        assert_eq!(versions(0, 99).choose(ApiKey::Fetch, 12), Some(12));
        assert_eq!(versions(13, 99).choose(ApiKey::Fetch, 12), None);
        assert_eq!(versions(0, 3).choose(ApiKey::Fetch, i16::MAX), None);
        assert_eq!(versions(0, 99).choose(ApiKey::Fetch, 1), None);
        assert!(!versions(0, 99).serves(ApiKey::Produce));
    }
}
