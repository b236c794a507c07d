//! What callers rely on stays: every message, field, value and method stands in `proto/pinned.txt` with its number.

use std::collections::BTreeSet;
use std::fmt::Write;

use prost_reflect::{EnumDescriptor, Kind, MessageDescriptor};

use super::methods::POOL;

const PINNED: &str = include_str!("../../proto/pinned.txt");

fn ours(package: &str) -> bool {
    matches!(package, "vigie.v1" | "inference" | "google.rpc")
}

fn declared() -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for message in POOL
        .all_messages()
        .filter(|message| ours(message.package_name()) && !message.is_map_entry())
    {
        lines.extend(fields(&message));
    }
    for values in POOL.all_enums().filter(|values| ours(values.package_name())) {
        lines.extend(members(&values));
    }
    for method in POOL
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
    {
        let stream = |is: bool| if is { "stream " } else { "" };
        lines.insert(format!(
            "{}({}{}) -> {}{}",
            method.full_name(),
            stream(method.is_client_streaming()),
            method.input().full_name(),
            stream(method.is_server_streaming()),
            method.output().full_name()
        ));
    }
    lines
}

fn fields(message: &MessageDescriptor) -> Vec<String> {
    let line = |field: prost_reflect::FieldDescriptor| {
        let mut line = format!("{} = {} ", field.full_name(), field.number());
        if field.is_map() {
            line.push_str("map ");
        } else if field.is_list() {
            line.push_str("repeated ");
        } else if field.supports_presence() && field.containing_oneof().is_some() {
            line.push_str("optional ");
        }
        let kind = match field.kind() {
            Kind::Message(of) if of.is_map_entry() => {
                format!(
                    "{:?} to {:?}",
                    of.map_entry_key_field().kind(),
                    of.map_entry_value_field().kind()
                )
            }
            kind => format!("{kind:?}"),
        };
        write!(line, "{kind}").expect("a text takes every text");
        line
    };
    message.fields().map(line).collect()
}

fn members(values: &EnumDescriptor) -> Vec<String> {
    values
        .values()
        .map(|value| format!("{} {} = {}", values.full_name(), value.name(), value.number()))
        .collect()
}

#[test]
fn what_is_declared_is_what_is_pinned() {
    let declared = declared();
    let pinned: BTreeSet<String> = PINNED.lines().map(ToOwned::to_owned).collect();
    let broken: Vec<_> = pinned.difference(&declared).collect();
    assert!(
        broken.is_empty(),
        "callers rely on these, and they are gone or changed:\n{broken:#?}"
    );
    let new: Vec<_> = declared.difference(&pinned).map(String::as_str).collect();
    assert!(
        new.is_empty(),
        "new, and from now on relied upon; add to proto/pinned.txt:\n{}",
        new.join("\n")
    );
}
