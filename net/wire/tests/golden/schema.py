#!/usr/bin/env python3
"""Derives `schema.txt`, the facts of Kafka's message definitions that our tables are tested against.

Usage: schema.py DIRECTORY|JAR [--check]
  DIRECTORY or JAR holds `common/message/*.json`: the jar org.apache.kafka:kafka-clients:4.3.0 does.
  Without --check the file beside this script is written; with it, a difference is exit code 1.

One line a message:
  name key=NUMBER versions=RANGE flexible=VERSIONS unstable
where "unstable" says that Kafka does not advertise the highest version. One line a field, the
fields of a structure indented below it:
  name type versions nullable=VERSIONS tag=NUMBER:VERSIONS default=VALUE flexible=VERSIONS ignorable
Only the facts are taken: names, types and versions; no sentence of the originals.
"""
import json
import pathlib
import re
import sys
import zipfile

SERVED = {
    0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23, 29, 30, 31, 32, 33, 34, 35, 37,
    42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 55, 57, 60, 61, 64, 65, 66, 74, 75,
}
HEADERS = ["RequestHeader", "ResponseHeader"]
TARGET = pathlib.Path(__file__).with_name("schema.txt")


def parse(text):
    """Reads JSON with // comments on lines of their own or after a value."""
    return json.loads(re.sub(r"^\s*//.*$|(?<=[,\[{}\]])\s*//.*$", "", text, flags=re.M))


def load(source):
    """Returns every definition in the directory or jar, by name."""
    found = {}
    path = pathlib.Path(source)
    if path.is_dir():
        texts = [file.read_text() for file in path.glob("**/common/message/*.json")]
    else:
        with zipfile.ZipFile(path) as jar:
            names = [name for name in jar.namelist() if re.match(r"common/message/\w+\.json$", name)]
            texts = [jar.read(name).decode() for name in names]
    for text in texts:
        definition = parse(text)
        found[definition["name"]] = definition
    return found


def default_of(field):
    """Returns the default in one spelling: a bare number, true or false, null, or a quoted text."""
    kind, value = field["type"], field.get("default")
    if value is None:
        return None
    value = str(value).lower() if isinstance(value, bool) else str(value)
    if kind == "string" and value != "null":
        return json.dumps(value)
    if re.match(r"-?0x", value):
        value = str(int(value, 16))
    return value


def write_fields(fields, common, depth, out):
    for field in fields:
        kind = field["type"]
        words = [field["name"], kind, field["versions"]]
        if "nullableVersions" in field:
            words.append("nullable=" + field["nullableVersions"])
        if "tag" in field:
            words.append(f"tag={field['tag']}:{field['taggedVersions']}")
        default = default_of(field)
        if default is not None:
            words.append("default=" + default)
        if field.get("flexibleVersions"):
            words.append("flexible=" + field["flexibleVersions"])
        if field.get("ignorable"):
            words.append("ignorable")
        out.append("  " * depth + " ".join(words))
        structure = kind.removeprefix("[]")
        write_fields(field.get("fields") or common.get(structure, []), common, depth + 1, out)


def render(definitions):
    chosen = [d for d in definitions.values() if d.get("apiKey") in SERVED and d["type"] in ("request", "response")]
    chosen.sort(key=lambda d: (d["apiKey"], d["type"]))
    out = []
    for definition in [definitions[name] for name in HEADERS] + chosen:
        key = definition.get("apiKey", "-")
        valid, flexible = definition["validVersions"], definition["flexibleVersions"]
        unstable = " unstable" if definition.get("latestVersionUnstable") else ""
        out.append(f"{definition['name']} key={key} versions={valid} flexible={flexible}{unstable}")
        common = {s["name"]: s["fields"] for s in definition.get("commonStructs", [])}
        write_fields(definition["fields"], common, 1, out)
    return "\n".join(out) + "\n"


def main():
    text = render(load(sys.argv[1]))
    if "--check" not in sys.argv:
        TARGET.write_text(text)
    elif TARGET.read_text() != text:
        sys.exit(f"{TARGET.name} is not what {sys.argv[1]} says; run without --check and look at the difference")


main()
