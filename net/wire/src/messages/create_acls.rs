//! CreateAcls (30): adds access rules. A broker without security answers error 54.
//!
//! See `describe_acls` for what the numbers mean.

use crate::schema::{call, message};

call!(CreateAcls);

message! {
    /// Orders access rules.
    pub struct Request {
        /// The rules.
        pub creations: Vec<Creation> [0+],
    }
}

message! {
    /// A rule to be added.
    pub struct Creation {
        /// The type of the resource.
        pub resource_type: i8 [0+],
        /// The resource's name, or the prefix of its name.
        pub resource_name: String [0+],
        /// How the name stands for resources.
        pub resource_pattern_type: i8 [1+] default (3),
        /// Whom the rule is about.
        pub principal: String [0+],
        /// Where the client is.
        pub host: String [0+],
        /// What the client does.
        pub operation: i8 [0+],
        /// Whether that is allowed or denied.
        pub permission_type: i8 [0+],
    }
}

message! {
    /// Tells which rules were added.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// The rules, in the order of the request.
        pub results: Vec<CreationResult> [0+],
    }
}

message! {
    /// What became of one rule.
    pub struct CreationResult {
        /// 0, or why it was not added: 54 without security.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
    }
}
