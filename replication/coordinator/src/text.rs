//! Text and bytes that clients choose, and that records and state keep: checked once, shared after.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest text that Kafka's records hold, in bytes: lengths are positive int16.
pub const TEXT_SIZE_MAX: usize = 32_767;

/// Bytes that only clients understand: subscriptions and assignments. Cheap to clone.
pub type Blob = Arc<[u8]>;

/// The text is longer than records can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a text of {length} bytes, {TEXT_SIZE_MAX} are allowed")]
pub struct TextTooLong {
    /// How many bytes it has.
    pub length: usize,
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Returns it as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Returns whether it has no characters.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        /// The empty text.
        impl Default for $name {
            fn default() -> Self {
                Self(Arc::from(""))
            }
        }

        impl FromStr for $name {
            type Err = TextTooLong;

            fn from_str(text: &str) -> Result<Self, TextTooLong> {
                let length = text.len();
                if length > TEXT_SIZE_MAX {
                    return Err(TextTooLong { length });
                }
                Ok(Self(Arc::from(text)))
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    )*};
}

texts! {
    /// A group's name; the empty one can hold offsets, but no members.
    GroupId;
    /// A member of a group, as the coordinator named it; empty on the wire means "not named yet".
    MemberId;
    /// A static member's name, which outlives its processes.
    InstanceId;
    /// Any other text: client ids, hosts, protocol types and protocol names.
    Text;
}

impl MemberId {
    /// Names a new member: `prefix-uuid`, the prefix cut if the whole would be too long.
    ///
    /// `random` becomes a version 4 UUID.
    /// *Source*: `ClassicGroup.generateMemberId`; instance id or client id stands in front.
    pub(crate) fn generate(prefix: &str, random: [u8; 16]) -> Self {
        let uuid = Uuid(random).to_string();
        let mut end = prefix.len().min(TEXT_SIZE_MAX - uuid.len() - 1);
        while !prefix.is_char_boundary(end) {
            end -= 1;
        }
        let (prefix, _) = prefix.split_at(end);
        Self(Arc::from(format!("{prefix}-{uuid}")))
    }
}

/// Sixteen random bytes, shown as a version 4 UUID.
struct Uuid([u8; 16]);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = u128::from_be_bytes(self.0);
        let versioned = (number & !(0xf << 76)) | (0x4 << 76);
        let number = (versioned & !(0x3 << 62)) | (0x2 << 62);
        let digits = format!("{number:032x}");
        for (place, digit) in digits.chars().enumerate() {
            if matches!(place, 8 | 12 | 16 | 20) {
                f.write_str("-")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_ids_end_in_a_version_4_uuid() {
        let id = MemberId::generate("app", [0xff; 16]);
        assert_eq!(id.as_str(), "app-ffffffff-ffff-4fff-bfff-ffffffffffff");
        let id = MemberId::generate("", [0; 16]);
        assert_eq!(id.as_str(), "-00000000-0000-4000-8000-000000000000");
    }

    #[test]
    fn generated_ids_fit_a_record_whatever_stands_in_front() {
        let long = "ä".repeat(TEXT_SIZE_MAX);
        let id = MemberId::generate(&long, [7; 16]);
        assert!(id.as_str().len() <= TEXT_SIZE_MAX);
        assert!(
            id.as_str()
                .ends_with("-07070707-0707-4707-8707-070707070707")
        );
    }

    #[test]
    fn a_text_that_no_record_holds_is_refused() {
        let length = TEXT_SIZE_MAX + 1;
        assert_eq!(
            "x".repeat(length).parse::<GroupId>(),
            Err(TextTooLong { length })
        );
    }
}
