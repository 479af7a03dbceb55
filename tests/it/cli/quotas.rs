//! The life of a quota.

use serde_json::json;

use super::bench::Bench;

#[test]
fn quotas_are_set_listed_described_and_unset() {
    let bench = Bench::new("cli-quota");
    let told = bench.printed("quota list");
    assert!(told.contains("riverrun quota set"), "{told}");
    let set = "quota set --client-id loader producer_byte_rate=262144 request_percentage=12.5";
    assert_eq!(
        bench.printed(set),
        "client-id loader: producer_byte_rate = 262144\n\
         client-id loader: request_percentage = 12.5\n"
    );
    bench.printed("quota set --default-user --client-id loader consumer_byte_rate=1000");
    let loader = json!({
        "entity": {"client-id": "loader"},
        "quotas": {"producer_byte_rate": 262_144.0, "request_percentage": 12.5},
    });
    assert_eq!(
        bench.json("quota describe --client-id loader -o json"),
        loader
    );
    let both = json!({
        "entity": {"client-id": "loader", "user": null},
        "quotas": {"consumer_byte_rate": 1000.0},
    });
    let listed = bench.json("quota list -o json");
    let listed = listed.as_array().unwrap();
    assert!(listed.len() == 2 && listed.contains(&loader) && listed.contains(&both));
    let text = bench.printed("quota list");
    assert!(text.contains("client-id loader, user (default)"), "{text}");

    let unset = bench.json("quota unset --client-id loader request_percentage -o json");
    assert_eq!(unset["quotas"], json!({"request_percentage": null}));
    let described = bench.printed("quota describe --client-id loader");
    assert_eq!(described, "client-id loader: producer_byte_rate = 262144\n");
    let nothing = bench.printed("quota describe --default-client-id");
    assert_eq!(nothing, "client-id (default): no quotas\n");

    let refused = bench.refused("quota set --ip 127.0.0.1 producer_byte_rate=1");
    let want = "ip 127.0.0.1: INVALID_REQUEST: Invalid configuration key producer_byte_rate";
    assert!(refused.contains(want), "{refused}");
    for (typed, want) in [
        (
            "quota unset --client-id loader producer_rate",
            "there is no quota producer_rate",
        ),
        (
            "quota unset --ip ::1 producer_byte_rate",
            "connection_creation_rate",
        ),
    ] {
        let told = bench.refused(typed);
        assert!(told.contains(want), "{told}");
    }
    bench.printed("quota unset --ip ::1 connection_creation_rate");
    for wrong in [
        "quota set producer_byte_rate=1",
        "quota set --user a --default-user producer_byte_rate=1",
        "quota set --ip ::1 --user a producer_byte_rate=1",
        "quota set --client-id a producer_byte_rate=fast",
        "quota unset --client-id a",
    ] {
        assert_eq!(bench.run(wrong).status.code(), Some(2), "{wrong}");
    }
}
