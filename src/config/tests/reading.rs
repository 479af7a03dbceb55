//! Files and settings, and what is said of the wrong ones.

use crate::config::NodeConfig;

fn refusal(toml: &str) -> String {
    NodeConfig::parse::<&str>(toml, &[])
        .unwrap_err()
        .to_string()
}

#[test]
fn tables_and_dotted_names_are_the_same() {
    let flat = "log.retention.ms = 5\nlog.segment.bytes = 2_097_152\nlisten = 'h:1'\n";
    let nested = "listen = \"h:1\"\n[log]\nretention = { ms = 0x5 }\nsegment.bytes = 2097152\n";
    let flat = NodeConfig::parse::<&str>(flat, &[]).unwrap();
    assert_eq!(flat, NodeConfig::parse::<&str>(nested, &[]).unwrap());
    assert_eq!(flat.given("log.retention.ms"), Some("5"));
    assert_eq!(flat.listen.port(), 1);
}

#[test]
fn errors_name_the_line_and_the_nearest_key() {
    assert_eq!(
        refusal("node.id = 1\n\nlisten_on = 'x:1'\n"),
        "line 3: there is no configuration key \"listen_on\"; did you mean listen?"
    );
    assert_eq!(
        refusal("[log]\nretention.ms = 1\nretention.minutes = 2\n"),
        "line 3: there is no configuration key \"log.retention.minutes\"; \
         did you mean log.retention.bytes?"
    );
    assert_eq!(
        refusal("zookeeper.connect = 'x'"),
        "line 1: there is no configuration key \"zookeeper.connect\""
    );
    assert_eq!(
        refusal("# one\nnode.id = '1'\n"),
        "line 2: node.id is an integer, not a string"
    );
    assert_eq!(
        refusal("node.id = -1"),
        "line 1: node.id: the value is -1, the range is 0 to 2147483647"
    );
    assert_eq!(
        refusal("node.id = 99999999999999999999"),
        "line 1: node.id: the value is not a whole number of at most 64 bits"
    );
    assert_eq!(
        refusal("auto.create.topics.enable = 'yes'"),
        "line 1: auto.create.topics.enable is a boolean, not a string"
    );
    assert_eq!(
        refusal("listen = ['h:1']"),
        "line 1: listen is a string, not an array"
    );
    assert_eq!(
        refusal("logging.format = 'xml'"),
        "line 1: logging.format: the value is one of human, json"
    );
}

#[test]
fn the_first_error_of_the_file_is_told() {
    let toml = "z = 1\na = 2\n";
    assert!(refusal(toml).starts_with("line 1: "), "{}", refusal(toml));
}

#[test]
fn what_is_not_toml_is_told_with_its_line() {
    let told = refusal("node.id = 1\nlisten = \n");
    assert!(told.starts_with("line 2: "), "{told}");
    let told = refusal("node.id = 1\nnode.id = 2\n");
    assert!(told.starts_with("line 2: "), "{told}");
}

#[test]
fn settings_are_told_apart_from_the_file() {
    let refuse = |setting| NodeConfig::parse("", &[setting]).unwrap_err().to_string();
    assert_eq!(refuse("listen"), "--set takes key=value, not \"listen\"");
    assert_eq!(
        refuse("core=1"),
        "--set: there is no configuration key \"core\"; did you mean cores?"
    );
    assert_eq!(
        refuse("cores=none"),
        "--set: cores: the value is not a whole number of at most 32 bits"
    );
    let spaced = NodeConfig::parse("", &[" cores = 2 "]).unwrap();
    assert_eq!(spaced.cores, Some(2));
}

#[test]
fn every_truncation_and_swapped_byte_of_a_file_is_read_or_refused_with_its_line() {
    let toml = "node.id = 3 # three\n[log]\nretention = { ms = -1 }\nsegment.bytes = 0x200000\n";
    assert!(NodeConfig::parse::<&str>(toml, &[]).is_ok());
    let lines = 1 + toml.matches('\n').count();
    let mut refused = 0;
    let mut read = |text: &str| {
        if let Err(error) = NodeConfig::parse::<&str>(text, &[]) {
            let told = error.to_string();
            let line = told
                .strip_prefix("line ")
                .and_then(|rest| rest.split(':').next());
            let line: usize = line.and_then(|line| line.parse().ok()).unwrap_or(0);
            assert!((1..=lines + 1).contains(&line), "{told}");
            refused += 1;
        }
    };
    for length in 0..toml.len() {
        read(&toml[..length]);
        for other in ["\"", "[", "=", "\n", "z", "9", "\u{0}"] {
            read(&format!(
                "{}{other}{}",
                &toml[..length],
                &toml[length + 1..]
            ));
        }
    }
    assert!(refused > 100, "{refused}");
}
