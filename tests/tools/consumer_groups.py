"""kafka-consumer-groups: looks at a group with a member, and moves and deletes one without."""

import re

GROUPS = "kafka-consumer-groups"


def consumer_groups(kafka):
    topic, group = kafka.filled(partitions=2), kafka.name("group")
    consumer = kafka.start("kafka-console-consumer", "--topic", topic, "--group", group, "--from-beginning")
    try:
        committed = re.compile(rf"^{group} +{topic} +0 +100 ", re.M)
        consumer.until(
            lambda: committed.search(kafka(GROUPS, "--describe", "--group", group).out),
            "the group commits what it read",
        )
        active(kafka, topic, group)
    finally:
        consumer.stop()
    inactive(kafka, topic, group)
    resets(kafka, topic, group)
    deletes(kafka, topic, group)


def active(kafka, topic, group):
    describe = (GROUPS, "--describe", "--group", group)
    kafka(*describe).says(
        rf"^{group} +{topic} +0 +100 +100 +0 +console-consumer-\S+ +/127\.0\.0\.1 +console-consumer *$",
        rf"^{group} +{topic} +1 +0 +0 +0 +console-consumer-\S+ ",
    )
    kafka(*describe, "--members", "--verbose").says(
        rf"^{group} +console-consumer-\S+ +/127\.0\.0\.1 +console-consumer +2 +- +{topic}:0,1 +- +- *$"
    )
    kafka(*describe, "--state").says(rf"^{group} +\S+:\d+ +\(\d+\) +range +Stable +1$")
    kafka(GROUPS, "--list").says(rf"^{group}$")
    kafka(GROUPS, "--list", "--state").says(rf"^{group} +Stable *$")
    kafka(GROUPS, "--list", "--type", "classic").says(rf"^{group} +Classic *$")
    kafka(GROUPS, "--list", "--state", "empty").never(rf"^{group} ")
    kafka("kafka-groups", "--list").says(rf"^{group} +Classic +consumer *$")
    refused = rf"Assignments can only be reset if the group '{group}' is inactive, but the current state is Stable\."
    told = kafka(GROUPS, "--reset-offsets", "--group", group, "--topic", topic, "--to-earliest", "--execute")
    told.says(refused, code=told.code)
    told = kafka(GROUPS, "--delete", "--group", group)
    told.says(rf"Group '{group}' could not be deleted due to: .*GroupNotEmptyException", code=told.code)


def inactive(kafka, topic, group):
    describe = (GROUPS, "--describe", "--group", group)
    kafka(*describe).says(
        rf"^Consumer group '{group}' has no active members\.$", rf"^{group} +{topic} +0 +100 +100 +0 +- +- +- *$"
    )
    kafka(*describe, "--state").says(rf"^{group} +\S+:\d+ +\(\d+\) +- +Empty +0$")
    kafka(GROUPS, "--list", "--state", "empty").says(rf"^{group} +Empty *$")


def resets(kafka, topic, group):
    one = (GROUPS, "--reset-offsets", "--group", group, "--topic", f"{topic}:0")

    def moves(offset, *how):
        """First says where it would go, then goes."""
        line = rf"^{group} +{topic} +0 +{offset} *$"
        kafka(*one, *how, "--dry-run").says(line)
        kafka(*one, *how, "--execute").says(line)
        kafka(GROUPS, "--describe", "--group", group).says(rf"^{group} +{topic} +0 +{offset} +100 +{100 - offset} ")

    kafka(*one, "--to-earliest", "--dry-run").says(rf"^{group} +{topic} +0 +0 *$")
    kafka(GROUPS, "--describe", "--group", group).says(rf"^{group} +{topic} +0 +100 +100 +0 ")
    moves(0, "--to-earliest")
    moves(42, "--to-offset", 42)
    kafka(*one, "--shift-by", -2, "--execute").says(rf"^{group} +{topic} +0 +40 *$")
    kafka(*one, "--shift-by", -1000, "--execute").says(rf"^{group} +{topic} +0 +0 *$")
    moves(100, "--to-latest")
    moves(0, "--to-datetime", "2020-01-01T00:00:00.000")
    kafka(*one, "--by-duration", "PT0S", "--execute").says(rf"^{group} +{topic} +0 +100 *$")
    kafka(*one, "--by-duration", "PT1H", "--execute").says(rf"^{group} +{topic} +0 +0 *$")
    plan = kafka.file(f"{topic},0,7\n")
    every = (GROUPS, "--reset-offsets", "--group", group)
    kafka(*every, "--from-file", plan, "--execute").says(rf"^{group} +{topic} +0 +7 *$")
    kafka(*every, "--all-topics", "--to-current", "--export", "--dry-run").says(rf'^"?{topic}"?,0,7$')


def deletes(kafka, topic, group):
    kafka(GROUPS, "--delete-offsets", "--group", group, "--topic", f"{topic}:0").says(
        rf"^Request succeeded for deleting offsets from group {group}\.$", rf"^{topic} +0 +Successful *$"
    )
    kafka(GROUPS, "--describe", "--group", group).never(rf"^{group} +{topic} +0 ")
    kafka(GROUPS, "--delete", "--group", group).says(
        rf"^Deletion of requested consumer groups \('{group}'\) was successful\.$"
    )
    told = kafka(GROUPS, "--describe", "--group", group)
    told.says(rf"GroupIdNotFoundException: Group {group} not found\.", code=told.code)
    told = kafka(GROUPS, "--delete", "--group", group)
    told.says(rf"Group '{group}' could not be deleted due to: .*GroupIdNotFoundException", code=told.code)
