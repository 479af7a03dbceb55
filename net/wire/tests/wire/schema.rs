//! Every field of ours is the field of Kafka's definition: name, type, versions, null, tag,
//! default, and whether it may be left out.
//!
//! Both sides are turned into the same lines and compared. Two things are brought to one form: a
//! field has only the versions that its message and its parent have, and a nullable field without
//! a stated default is null here where Kafka's is empty (no version we serve shows the difference
//! on the wire: such fields are always written).

use std::collections::BTreeMap;

use wire::consumer_protocol::{Assignment, Subscription, VERSIONS};
use wire::schema::{Field, Kind, Structure, Versions};

use crate::served::{self, Served};

const SCHEMA: &str = include_str!("../golden/schema.txt");

#[test]
fn every_field_is_as_kafka_defines_it() {
    let theirs = definitions();
    for message in served::all() {
        let definition = &theirs[message.name.as_str()];
        compare(message.fields, definition, served_versions(&message));
    }
}

#[test]
fn what_consumers_tell_each_other_is_as_kafka_defines_it() {
    let theirs = definitions();
    for (name, fields) in [
        ("ConsumerProtocolSubscription", Subscription::FIELDS),
        ("ConsumerProtocolAssignment", Assignment::FIELDS),
    ] {
        let definition = &theirs[name];
        let versions = parse_versions(definition.attribute("versions"));
        let (min, max) = (VERSIONS.min, VERSIONS.max);
        assert_eq!(Versions { min, max }, versions, "{name}");
        assert_eq!(definition.attribute("flexible"), "none", "{name}");
        compare(fields, definition, versions);
    }
}

fn compare(fields: &[Field], definition: &Definition, served: Versions) {
    let mut our_lines = Vec::new();
    write_ours(fields, served, "", &mut our_lines);
    let mut their_lines = Vec::new();
    write_theirs(&definition.fields, served, "", &mut their_lines);
    assert_eq!(our_lines, their_lines, "{}", definition.line);
}

#[test]
fn answers_begin_with_the_throttle_time_but_for_two() {
    use wire::Message as _;
    use wire::messages::{api_versions, fetch, list_offsets, produce};
    assert!(!list_offsets::Response::begins_with_throttle(1));
    assert!(list_offsets::Response::begins_with_throttle(2));
    assert!(fetch::Response::begins_with_throttle(18));
    assert!(!api_versions::Response::begins_with_throttle(4));
    assert!(!produce::Response::begins_with_throttle(13));
}

#[test]
fn versions_and_flexibility_are_as_kafka_defines_them() {
    let theirs = definitions();
    for message in served::all() {
        let definition = &theirs[message.name.as_str()];
        let mut versions = parse_versions(definition.attribute("versions"));
        let request = &theirs[format!("{}Request", message.api.name).as_str()];
        if request.line.ends_with(" unstable") {
            versions.max -= 1;
        }
        assert_eq!(served_versions(&message), versions, "{}", message.name);
        let flexible = match definition.attribute("flexible") {
            "none" => None,
            versions => Some(parse_versions(versions).min),
        };
        assert_eq!(message.api.first_flexible, flexible, "{}", message.name);
        let key = message.api.key.wire().to_string();
        assert_eq!(definition.attribute("key"), key, "{}", message.name);
    }
}

#[test]
fn tagged_fields_stand_last_in_ascending_order() {
    fn check(name: &str, fields: &[Field]) {
        let tags: Vec<Option<u32>> = fields.iter().map(|field| field.place.tag()).collect();
        assert!(tags.is_sorted(), "{name}: {tags:?}");
        for field in fields {
            let (_, inner) = our_kind(field.kind);
            check(field.name, inner);
        }
    }
    for message in served::all() {
        check(&message.name, message.fields);
    }
}

/// One line of the golden file, with those indented below it.
struct Definition {
    line: &'static str,
    fields: Vec<Self>,
}

impl Definition {
    fn word(&self, index: usize) -> &'static str {
        self.line.split(' ').nth(index).unwrap()
    }

    fn attribute(&self, name: &str) -> &'static str {
        self.find(name)
            .unwrap_or_else(|| panic!("{name} of {}", self.line))
    }

    fn find(&self, name: &str) -> Option<&'static str> {
        let value = |word: &'static str| word.strip_prefix(name)?.strip_prefix('=');
        self.line.split(' ').find_map(value)
    }
}

fn definitions() -> BTreeMap<&'static str, Definition> {
    let mut lines = SCHEMA.lines().peekable();
    let roots = take_level(&mut lines, 0);
    roots.into_iter().map(|root| (root.word(0), root)).collect()
}

fn take_level(
    lines: &mut std::iter::Peekable<std::str::Lines<'static>>,
    depth: usize,
) -> Vec<Definition> {
    let indent = |line: &str| (line.len() - line.trim_start().len()) / 2;
    let mut level = Vec::new();
    while let Some(line) = lines.next_if(|line| indent(line) == depth) {
        let fields = take_level(lines, depth + 1);
        let line = line.trim_start();
        level.push(Definition { line, fields });
    }
    level
}

fn served_versions(message: &Served) -> Versions {
    let (min, max) = (message.api.served.min, message.api.served.max);
    Versions { min, max }
}

fn parse_versions(text: &str) -> Versions {
    let (min, max) = match text.strip_suffix('+') {
        Some(min) => (min, "32767"),
        None => text.split_once('-').unwrap_or((text, text)),
    };
    let parse = |end: &str| end.parse().unwrap();
    let (min, max) = (parse(min), parse(max));
    Versions { min, max }
}

fn both(one: Versions, other: Versions) -> Versions {
    let (min, max) = (one.min.max(other.min), one.max.min(other.max));
    if min > max {
        Versions::NONE
    } else {
        Versions { min, max }
    }
}

fn shown(versions: Versions) -> String {
    if versions == Versions::NONE {
        return "none".into();
    }
    format!("{}-{}", versions.min, versions.max)
}

fn write_ours(fields: &[Field], parent: Versions, path: &str, lines: &mut Vec<String>) {
    for field in fields {
        let versions = both(field.versions, parent);
        if versions == Versions::NONE {
            continue;
        }
        let (kind, inner) = our_kind(field.kind);
        let name = format!("{path}{}", field.name.replace('_', ""));
        lines.push(format!(
            "{name} {kind} {} null={} tag={:?} default={} ignorable={}",
            shown(versions),
            shown(both(field.null, versions)),
            field.place.tag(),
            our_default(field.default),
            field.place.is_ignorable(),
        ));
        write_ours(inner, versions, &format!("{name}."), lines);
    }
}

fn our_kind(kind: Kind) -> (String, &'static [Field]) {
    match kind {
        Kind::Array { of } => {
            let (inner, fields) = our_kind(*of);
            (format!("[]{inner}"), fields)
        }
        Kind::Structure { fields } => ("structure".into(), fields),
        simple => (format!("{simple:?}").to_lowercase(), &[]),
    }
}

/// Brings a default as written in the notation to the spelling of the golden file.
fn our_default(written: &str) -> String {
    let plain = written.replace([' ', '_'], "");
    match plain.as_str() {
        "i32::MIN" => i32::MIN.to_string(),
        "i32::MAX" => i32::MAX.to_string(),
        "i64::MAX" => i64::MAX.to_string(),
        "TopicId::ZERO" | "Float64(0.0)" | "String::new()" | "0" | "false" => String::new(),
        _ => plain,
    }
}

fn write_theirs(fields: &[Definition], parent: Versions, path: &str, lines: &mut Vec<String>) {
    let (ordered, mut tagged): (Vec<_>, Vec<_>) =
        fields.iter().partition(|field| field.find("tag").is_none());
    tagged.sort_by_key(|field| their_tag(field));
    for field in ordered.into_iter().chain(tagged) {
        let versions = both(parse_versions(field.word(2)), parent);
        if versions == Versions::NONE {
            continue;
        }
        let null = field
            .find("nullable")
            .map_or(Versions::NONE, parse_versions);
        let name = format!("{path}{}", field.word(0).to_lowercase());
        lines.push(format!(
            "{name} {} {} null={} tag={:?} default={} ignorable={}",
            their_kind(field.word(1)),
            shown(versions),
            shown(both(null, versions)),
            their_tag(field),
            their_default(field.find("default").unwrap_or_default()),
            field.line.ends_with(" ignorable"),
        ));
        write_theirs(&field.fields, versions, &format!("{name}."), lines);
    }
}

fn their_tag(field: &Definition) -> Option<u32> {
    let (tag, versions) = field.find("tag")?.split_once(':')?;
    // A field that is tagged in some of its versions only would need another notation.
    assert_eq!(versions, field.word(2), "{}", field.line);
    tag.parse().ok()
}

fn their_kind(kind: &str) -> String {
    if let Some(of) = kind.strip_prefix("[]") {
        return format!("[]{}", their_kind(of));
    }
    match kind {
        structure if structure.starts_with(char::is_uppercase) => "structure",
        // One form on the wire, and one type of ours.
        "records" => "bytes",
        simple => simple,
    }
    .into()
}

fn their_default(default: &str) -> &str {
    match default {
        "null" | "\"\"" | "0" | "false" => "",
        other => other,
    }
}
