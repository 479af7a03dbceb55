//! Two recordings of one script, and where they differ.

use std::collections::BTreeSet;
use std::fmt;

use wire::api::ApiKey;

use crate::allowed::may_stand;
use crate::broker::{Outcome, Outcomes};
use crate::normal::Normaliser;
use crate::script::{Script, Step};
use crate::tree::Tree;

/// The outcomes of one run, and the name it had.
#[derive(Debug)]
pub(crate) struct Recording {
    /// What stands in the place of the script's own name.
    pub(crate) run: String,
    /// What became of the steps.
    pub(crate) outcomes: Outcomes,
}

/// A step whose answers differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The step.
    pub(crate) step: Step,
    /// The fields in which they differ.
    pub(crate) fields: Vec<FieldDifference>,
    /// The whole normalised answers.
    pub(crate) whole: [String; 2],
}

/// One place where two answers differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldDifference {
    /// The field, empty if one of the two is no answer.
    pub(crate) path: String,
    /// What the left and the right broker have there.
    pub(crate) sides: [String; 2],
}

impl Difference {
    /// Names the fields without the places in lists, to count those alike.
    pub(crate) fn kinds(&self) -> BTreeSet<String> {
        let kind =
            |field: &FieldDifference| format!("{} {}", self.step.form.key, placeless(&field.path));
        self.fields.iter().map(kind).collect()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [left, right] = &self.whole;
        write!(f, "{}\n  left:  {left}\n  right: {right}", self.step)?;
        for FieldDifference {
            path,
            sides: [left, right],
        } in &self.fields
        {
            let at = if path.is_empty() { "the outcome" } else { path };
            write!(f, "\n  {at}: {left} on the left, {right} on the right")?;
        }
        Ok(())
    }
}

/// What was compared.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// How many answers were compared.
    pub(crate) compared: usize,
    /// How many steps one of the brokers does not serve.
    pub(crate) unserved: usize,
    /// Where the answers differ, in the order of the steps.
    pub(crate) differences: Vec<Difference>,
}

/// Compares two recordings step by step; `skip_unserved` leaves out what one does not serve.
pub(crate) fn compare(
    script: &Script,
    recordings: [&Recording; 2],
    skip_unserved: bool,
) -> Comparison {
    let mut normalisers = recordings.map(|recording| Normaliser::new(&recording.run));
    let mut comparison = Comparison::default();
    for step in &script.steps {
        let [Some(left), Some(right)] = recordings.map(|r| r.outcomes.get(&step.id)) else {
            continue;
        };
        if skip_unserved && [left, right].contains(&&Outcome::Unserved) {
            comparison.unserved += 1;
            continue;
        }
        let [for_left, for_right] = &mut normalisers;
        let sides = [shown(step, left, for_left), shown(step, right, for_right)];
        comparison.compared += 1;
        let [left, right] = &sides;
        let mut fields = Vec::new();
        diff(step.form.key, "", left, right, &mut fields);
        if !fields.is_empty() {
            let whole = [left.to_string(), right.to_string()];
            comparison.differences.push(Difference {
                step: step.clone(),
                fields,
                whole,
            });
        }
    }
    comparison
}

/// An outcome as a tree: the normalised answer, or why there is none.
fn shown(step: &Step, outcome: &Outcome, normaliser: &mut Normaliser) -> Tree {
    match outcome {
        Outcome::Answered(answer) => normaliser.normal(step.id, step.form.key, answer),
        Outcome::Early(answer) => {
            let answer = normaliser.normal(step.id, step.form.key, answer);
            Tree::Symbol(format!("answered before its time: {answer}"))
        }
        Outcome::Unanswered(why) => Tree::Symbol(why.clone()),
        Outcome::Unserved => Tree::Symbol("not served".to_owned()),
    }
}

/// A path without the places in lists.
fn placeless(path: &str) -> String {
    let words = path.split('.');
    let words: Vec<&str> = words
        .filter(|word| word.parse::<usize>().is_err())
        .collect();
    words.join(".")
}

/// Walks two trees, and notes where they part.
fn diff(key: ApiKey, path: &str, left: &Tree, right: &Tree, found: &mut Vec<FieldDifference>) {
    let below = |word: &str| {
        if path.is_empty() {
            word.to_owned()
        } else {
            format!("{path}.{word}")
        }
    };
    let sides = match (left, right) {
        (Tree::Fields(left), Tree::Fields(right)) if left.len() == right.len() => {
            for ((name, left), (_, right)) in left.iter().zip(right) {
                diff(key, &below(name), left, right, found);
            }
            return;
        }
        (Tree::List(left), Tree::List(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                diff(key, &below(&index.to_string()), left, right, found);
            }
            return;
        }
        _ if left == right || may_stand(key, &placeless(path), left, right) => return,
        (Tree::List(left), Tree::List(right)) => {
            [left, right].map(|list| format!("{} elements", list.len()))
        }
        _ => [left, right].map(Tree::to_string),
    };
    found.push(FieldDifference {
        path: path.to_owned(),
        sides,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::Form;
    use crate::script::Due;
    use crate::tree::body;

    fn script() -> Script {
        let form = Form {
            key: ApiKey::Heartbeat,
            version: 4,
        };
        let step = |id| Step {
            id,
            line: 0,
            form,
            body: body! {},
            due: Due::Now,
            releases: Vec::new(),
        };
        Script {
            seed: 1,
            steps: vec![step(0), step(1)],
        }
    }

    fn recording(outcomes: [Outcome; 2]) -> Recording {
        Recording {
            run: "r00000".to_owned(),
            outcomes: (0..).zip(outcomes).collect(),
        }
    }

    fn answered(error_code: i16) -> Outcome {
        Outcome::Answered(body! { throttle_time_ms: error_code, error_code: error_code })
    }

    #[test]
    fn equal_answers_differ_nowhere_and_others_in_the_field() {
        let left = recording([answered(0), answered(25)]);
        let right = recording([answered(0), answered(27)]);
        assert!(
            compare(&script(), [&left, &left], false)
                .differences
                .is_empty()
        );
        let comparison = compare(&script(), [&left, &right], true);
        assert_eq!(comparison.compared, 2);
        // The throttle time differs too, as it may.
        let [difference] = comparison.differences.as_slice() else {
            panic!("one difference: {comparison:?}")
        };
        assert_eq!(difference.step.id, 1);
        let sides = ["25", "27"].map(str::to_owned);
        let path = "error_code".to_owned();
        assert_eq!(difference.fields, [FieldDifference { path, sides }]);
        let kind = "Heartbeat error_code".to_owned();
        assert_eq!(difference.kinds(), BTreeSet::from([kind]));
    }

    #[test]
    fn what_only_one_serves_is_not_compared() {
        let left = recording([answered(0), Outcome::Unserved]);
        let right = recording([answered(0), answered(1)]);
        let comparison = compare(&script(), [&left, &right], true);
        assert_eq!((comparison.compared, comparison.unserved), (1, 1));
    }

    #[test]
    fn an_early_answer_and_a_missing_one_are_differences() {
        let Outcome::Answered(answer) = answered(0) else {
            panic!("an answer")
        };
        let right = [
            Outcome::Early(answer),
            Outcome::Unanswered("no answer came".to_owned()),
        ];
        let comparison = compare(
            &script(),
            [&recording([answered(0), answered(0)]), &recording(right)],
            false,
        );
        assert_eq!(comparison.differences.len(), 2);
        assert!(
            comparison
                .differences
                .iter()
                .all(|difference| difference.fields[0].path.is_empty())
        );
    }

    #[test]
    fn of_what_one_may_say_instead_nothing_else_is_allowed() {
        let differ = |left: i16, right: i16| {
            let side = |error: i16| body! { results: vec![body! { error_code: error }] };
            let mut found = Vec::new();
            let key = ApiKey::AlterUserScramCredentials;
            diff(key, "", &side(left), &side(right), &mut found);
            !found.is_empty()
        };
        assert!(!differ(0, 33) && !differ(58, 58));
        assert!(differ(33, 0) && differ(0, 58) && differ(58, 33));
    }

    #[test]
    fn lists_of_different_lengths_are_told_by_their_lengths() {
        let mut found = Vec::new();
        diff(
            ApiKey::Metadata,
            "",
            &body! { a: vec![1, 2] },
            &body! { a: vec![1] },
            &mut found,
        );
        let sides = ["2 elements", "1 elements"].map(str::to_owned);
        let path = "a".to_owned();
        assert_eq!(found, [FieldDifference { path, sides }]);
    }
}
