//! Nothing happened that no fault explains.

use crate::history::{Event, History};

pub(super) fn check(history: &History) -> Vec<String> {
    let unexpected = history.events().filter_map(|(_, event)| match event {
        Event::Unexpected(what) => Some(what.clone()),
        _ => None,
    });
    unexpected.collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples::sound;
    use super::*;

    #[test]
    fn what_nothing_explains_is_found() {
        let mut events = sound();
        events.push(Event::Unexpected("an answer without a question".into()));
        assert_eq!(check(&events.into()), ["an answer without a question"]);
    }
}
