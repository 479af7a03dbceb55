//! Waiting without a clock: questions that are asked until the answer shows that something is done.
//!
//! A broker may answer a change of metadata before the change can be seen (Kafka does). A fence is
//! a change of its own, made after it, and looked at until it can be seen. Changes are published in
//! their order, so two fences one after the other prove that all of the first change is published:
//! the second cannot be in sight while anything before the first is not.

use types::ErrorCode;
use wire::api::ApiKey;
use wire::messages::find_coordinator::KEY_TRANSACTION;

use crate::line::Line;
use crate::messages::Form;
use crate::tree::{Tree, body};

/// How often a question is asked at most: minutes, on any machine.
const QUESTIONS_MAX: usize = 50_000;

/// Over how many groups readiness is looked at: with so many, no partition of offsets is left out.
const GROUPS_ASKED: usize = 100;

const GROUP_STATE: Form = Form {
    key: ApiKey::DescribeGroups,
    version: 5,
};
const COORDINATOR: Form = Form {
    key: ApiKey::FindCoordinator,
    version: 4,
};
const OFFSETS: Form = Form {
    key: ApiKey::OffsetFetch,
    version: 8,
};
const PRODUCER_ID: Form = Form {
    key: ApiKey::InitProducerId,
    version: 2,
};
const TRANSACTIONS: Form = Form {
    key: ApiKey::DescribeTransactions,
    version: 0,
};
const FORGET: Form = Form {
    key: ApiKey::DeleteGroups,
    version: 0,
};
const CREATE: Form = Form {
    key: ApiKey::CreateTopics,
    version: 4,
};
const CHANGE: Form = Form {
    key: ApiKey::IncrementalAlterConfigs,
    version: 0,
};
const LOOK: Form = Form {
    key: ApiKey::DescribeConfigs,
    version: 1,
};

/// A config of a topic that no script touches.
#[derive(Debug)]
pub(crate) struct Fence {
    topic: String,
    passed: i64,
}

/// Returns whether an answer of this API may come before what it tells can be seen.
pub(crate) const fn is_needed_after(key: ApiKey) -> bool {
    matches!(
        key,
        ApiKey::CreateTopics
            | ApiKey::DeleteTopics
            | ApiKey::CreatePartitions
            | ApiKey::AlterConfigs
            | ApiKey::IncrementalAlterConfigs
            | ApiKey::AlterClientQuotas
            | ApiKey::AlterUserScramCredentials
            | ApiKey::AlterPartitionReassignments
            | ApiKey::ElectLeaders
    )
}

/// Returns whether an answer says of anything that it was done.
pub(crate) fn tells_success(answer: &Tree) -> bool {
    match answer {
        Tree::Fields(fields) => fields.iter().any(|(name, value)| match value {
            Tree::Int(error) => *name == "error_code" && *error == 0,
            below => tells_success(below),
        }),
        Tree::List(elements) => elements.iter().any(tells_success),
        _ => false,
    }
}

impl Fence {
    /// Creates the topic.
    pub(crate) fn set_up(probe: &mut Line, run: &str) -> Result<Self, String> {
        let topic = format!("{run}-fence");
        let wanted = body! { name: topic.as_str(), num_partitions: 1, replication_factor: 1 };
        let answer = ask(
            probe,
            CREATE,
            &body! { topics: vec![wanted], timeout_ms: 20_000 },
        )?;
        match answer.int_at("topics.0.error_code") {
            Some(0) => {}
            error => return Err(format!("no topic could be created: {error:?}")),
        }
        let mut fence = Self { topic, passed: 0 };
        fence.pass(probe)?;
        Ok(fence)
    }

    /// Waits until everything that was changed before can be seen.
    pub(crate) fn pass(&mut self, probe: &mut Line) -> Result<(), String> {
        self.pass_once(probe)?;
        self.pass_once(probe)
    }

    fn pass_once(&mut self, probe: &mut Line) -> Result<(), String> {
        self.passed += 1;
        let value = (1_000_000 + self.passed).to_string();
        let set = body! { name: "retention.ms", config_operation: 0, value: value.as_str() };
        let topic =
            body! { resource_type: 2, resource_name: self.topic.as_str(), configs: vec![set] };
        let changed = ask(probe, CHANGE, &body! { resources: vec![topic] })?;
        match changed.int_at("responses.0.error_code") {
            Some(0) => {}
            error => return Err(format!("the fence cannot be moved: {error:?}")),
        }
        let topic = body! {
            resource_type: 2,
            resource_name: self.topic.as_str(),
            configuration_keys: vec!["retention.ms"],
        };
        let question = body! { resources: vec![topic] };
        until(probe, LOOK, &question, |answer| {
            answer.at("results.0.configs.0.value") == Some(&Tree::from(value.as_str()))
        })
    }
}

/// Waits until this broker coordinates groups.
pub(crate) fn await_coordinators(probe: &mut Line, run: &str) -> Result<(), String> {
    let names: Vec<String> = (0..GROUPS_ASKED)
        .map(|n| format!("{run}-ready-{n}"))
        .collect();
    let question = body! { coordinator_keys: names.clone() };
    until(probe, COORDINATOR, &question, |answer| {
        errors(answer, "coordinators") == Some(0)
    })?;
    let groups: Vec<Tree> = names
        .iter()
        .map(|name| body! { group_id: name.as_str() })
        .collect();
    let question = body! { groups: groups };
    until(probe, OFFSETS, &question, |answer| {
        errors(answer, "groups") == Some(0)
    })
}

/// Has the broker forget the one group whose name has nothing of the run.
pub(crate) fn forget_nameless_group(probe: &mut Line) -> Result<(), String> {
    ask(probe, FORGET, &body! { groups_names: vec![""] }).map(drop)
}

/// Waits until this broker has producer ids to give out.
pub(crate) fn await_producer_ids(probe: &mut Line) -> Result<(), String> {
    let question = body! { transaction_timeout_ms: 60_000 };
    until(probe, PRODUCER_ID, &question, |answer| {
        answer.int_at("error_code") == Some(0)
    })
}

/// Waits until this broker knows that nobody has this transaction; Kafka makes the place for
/// transactions when it is asked where they are.
pub(crate) fn await_transactions(probe: &mut Line, run: &str) -> Result<(), String> {
    let names = vec![format!("{run}-ready")];
    let question = body! { key_type: KEY_TRANSACTION, coordinator_keys: names.clone() };
    until(probe, COORDINATOR, &question, |answer| {
        errors(answer, "coordinators") == Some(0)
    })?;
    let question = body! { transactional_ids: names };
    until(probe, TRANSACTIONS, &question, |answer| {
        let error = answer.int_at("transaction_states.0.error_code");
        error == Some(ErrorCode::TransactionalIdNotFound.code().into())
    })
}

/// Waits until a group shows that it rebalances, with so many members.
pub(crate) fn await_rebalance(probe: &mut Line, group: &str, members: usize) -> Result<(), String> {
    let question = body! { groups: vec![group] };
    let rebalances = Tree::from("PreparingRebalance");
    until(probe, GROUP_STATE, &question, |answer| {
        let counted =
            matches!(answer.at("groups.0.members"), Some(Tree::List(all)) if all.len() == members);
        counted && answer.at("groups.0.group_state") == Some(&rebalances)
    })
    .map_err(|_| format!("the group never rebalanced with {members} members"))
}

/// Counts the elements of a list that carry an error.
fn errors(answer: &Tree, list: &str) -> Option<usize> {
    let Some(Tree::List(elements)) = answer.at(list) else {
        return None;
    };
    let failed = |element: &&Tree| element.int_at("error_code") != Some(0);
    Some(elements.iter().filter(failed).count())
}

fn ask(probe: &mut Line, form: Form, question: &Tree) -> Result<Tree, String> {
    let answer = probe.call(form, question);
    answer.map_err(|unanswered| format!("{}: {unanswered}", form.key))
}

fn until(
    probe: &mut Line,
    form: Form,
    question: &Tree,
    done: impl Fn(&Tree) -> bool,
) -> Result<(), String> {
    for _ in 0..QUESTIONS_MAX {
        if done(&ask(probe, form, question)?) {
            return Ok(());
        }
    }
    Err(format!("{} never answered as it should", form.key))
}
