//! DeleteAcls (31): takes away the access rules that filters meet. A broker without security
//! answers error 54.
//!
//! See `describe_acls` for what the numbers mean.

use crate::schema::{call, message};

call!(DeleteAcls);

message! {
    /// Orders access rules to be taken away.
    pub struct Request {
        /// The filters; a rule that any of them meets goes.
        pub filters: Vec<Filter> [0+],
    }
}

message! {
    /// Which rules are meant.
    pub struct Filter {
        /// The type of the resource.
        pub resource_type_filter: i8 [0+],
        /// The resource's name; null for any.
        pub resource_name_filter: Option<String> [0+] null [0+],
        /// How the rule's name stands for resources.
        pub pattern_type_filter: i8 [1+] default (3),
        /// Whom the rule is about; null for anybody.
        pub principal_filter: Option<String> [0+] null [0+],
        /// Where the client is; null for anywhere.
        pub host_filter: Option<String> [0+] null [0+],
        /// What the client does.
        pub operation: i8 [0+],
        /// Whether the rule allows or denies it.
        pub permission_type: i8 [0+],
    }
}

message! {
    /// Tells which rules were taken away.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// The filters, in the order of the request.
        pub filter_results: Vec<FilterResult> [0+],
    }
}

message! {
    /// What one filter met.
    pub struct FilterResult {
        /// 0, or why nothing was taken away: 54 without security.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
        /// The rules that it met.
        pub matching_acls: Vec<MatchingAcl> [0+],
    }
}

message! {
    /// A rule that a filter met.
    pub struct MatchingAcl {
        /// Why it was not taken away, or 0.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
        /// The type of the resource.
        pub resource_type: i8 [0+],
        /// The resource's name, or the prefix of its name.
        pub resource_name: String [0+],
        /// How the name stands for resources.
        pub pattern_type: i8 [1+] default (3),
        /// Whom it was about.
        pub principal: String [0+],
        /// Where the client was.
        pub host: String [0+],
        /// What the client did.
        pub operation: i8 [0+],
        /// Whether that was allowed or denied.
        pub permission_type: i8 [0+],
    }
}
