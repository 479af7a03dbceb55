//! DescribeAcls (29): the access rules that a filter meets. A broker without security answers
//! error 54.
//!
//! What the numbers of the three APIs about access rules mean:
//!
//! | number | resource | pattern | operation | permission |
//! |---:|---|---|---|---|
//! | 1 | any | any | any | any |
//! | 2 | topic | match | all | deny |
//! | 3 | group | literal | read | allow |
//! | 4 | cluster | prefixed | write | |
//! | 5 | transactional id | | create | |
//! | 6 | delegation token | | delete | |
//! | 7 | user | | alter | |
//! | 8 | | | describe | |
//! | 9 | | | cluster action | |
//! | 10, 11 | | | describe, alter configurations | |
//! | 12 | | | idempotent write | |
//! | 13, 14 | | | create, describe tokens | |
//! | 15 | | | two-phase commit | |
//!
//! *Source*: KIP-140, KIP-290 (patterns), KIP-373 (users).

use crate::schema::{call, message};

call!(DescribeAcls);

message! {
    /// Asks for access rules.
    pub struct Request {
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
    /// Tells access rules.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// 0, or why there is no answer: 54 without security.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
        /// The resources that have rules.
        pub resources: Vec<Resource> [0+],
    }
}

message! {
    /// A resource that has rules.
    pub struct Resource {
        /// Its type.
        pub resource_type: i8 [0+],
        /// Its name, or the prefix of its name.
        pub resource_name: String [0+],
        /// How the name stands for resources.
        pub pattern_type: i8 [1+] default (3),
        /// Its rules.
        pub acls: Vec<Acl> [0+],
    }
}

message! {
    /// An access rule.
    pub struct Acl {
        /// Whom it is about.
        pub principal: String [0+],
        /// Where the client is.
        pub host: String [0+],
        /// What the client does.
        pub operation: i8 [0+],
        /// Whether that is allowed or denied.
        pub permission_type: i8 [0+],
    }
}
