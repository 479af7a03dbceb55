//! Arguments that several subcommands share.

use std::str::FromStr;

use clap::ValueEnum;

/// How to reach a cluster.
#[derive(Debug, clap::Args)]
pub struct Bootstrap {
    /// A broker of the cluster; several, with commas between, are tried in turn
    #[arg(
        short = 'b',
        long = "bootstrap",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:9092",
        value_delimiter = ',',
        global = true
    )]
    pub addresses: Vec<String>,
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For a person
    Text,
    /// For a machine
    Json,
}

/// A name and what it is set to, typed as `KEY=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// What stands before the first `=`; not empty.
    pub key: String,
    /// What stands behind it; may be empty.
    pub value: String,
}

/// A setting without a name or without `=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("want KEY=VALUE")]
pub struct InvalidSetting;

impl FromStr for Setting {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok(Self {
                key: key.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err(InvalidSetting),
        }
    }
}

/// A quota and what it is set to, typed as `QUOTA=NUMBER`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    /// Which quota; not empty.
    pub key: String,
    /// How much.
    pub value: f64,
}

/// A quota without a name or without a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("want QUOTA=NUMBER")]
pub struct InvalidRate;

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let Setting { key, value } = text.parse().map_err(|_| InvalidRate)?;
        let value = value.parse().map_err(|_| InvalidRate)?;
        Ok(Self { key, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_cut_at_its_first_equals_sign() {
        let cut = |text: &str| {
            let setting: Setting = text.parse().ok()?;
            Some((setting.key, setting.value))
        };
        let both = |key: &str, value: &str| Some((key.to_owned(), value.to_owned()));
        assert_eq!(cut("a=b"), both("a", "b"));
        assert_eq!(cut("a=b=c"), both("a", "b=c"));
        assert_eq!(cut("a="), both("a", ""));
        assert_eq!(cut("=b"), None);
        assert_eq!(cut("a"), None);
    }

    #[test]
    fn a_rate_is_a_number() {
        let value = |text: &str| text.parse::<Rate>().map(|rate| rate.value.to_bits());
        assert_eq!(value("producer_byte_rate=1024"), Ok(1024_f64.to_bits()));
        assert_eq!(value("request_percentage=0.5"), Ok(0.5_f64.to_bits()));
        for text in ["a", "a=", "=1", "a=much"] {
            assert_eq!(value(text), Err(InvalidRate));
        }
    }
}
