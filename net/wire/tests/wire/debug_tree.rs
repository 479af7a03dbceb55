//! The text that `derive(Debug)` makes, taken apart again: how two implementations with types of
//! their own are compared field by field.

use std::collections::BTreeMap;

use types::ids::TopicId;

/// A value as its debug text shows it. Names of structures and wrappers of one value are dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    Leaf(String),
    List(Vec<Self>),
    Fields(BTreeMap<String, Self>),
}

impl Tree {
    pub(crate) fn parse(text: &str) -> Self {
        let mut parser = Parser { rest: text };
        let tree = parser.value();
        assert_eq!(parser.rest, "", "all of the text is one value");
        tree
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn value(&mut self) -> Tree {
        if self.take("[") {
            return Tree::List(self.separated("]", Self::value));
        }
        if self.take("{") {
            // A map; the only ones are those of unknown tagged fields, which are empty here.
            assert!(self.take("}"), "an empty map at {}", self.rest);
            return Tree::List(Vec::new());
        }
        if let Some(text) = self.quoted() {
            return Tree::Leaf(text.into());
        }
        let word = self.until(|character| " ,()[]{}".contains(character));
        if self.take(" { ") {
            let fields = self.separated(" }", Self::field);
            return Tree::Fields(fields.into_iter().collect());
        }
        if word == "TopicId" {
            return self.topic_id();
        }
        if self.take("(") {
            let inner = self.value();
            assert!(self.take(")"), "one wrapped value at {}", self.rest);
            return inner;
        }
        Tree::Leaf(plain(word))
    }

    fn field(&mut self) -> (String, Tree) {
        let name = self.until(|character| character == ':').to_owned();
        assert!(self.take(": "), "a field at {}", self.rest);
        // Word boundaries around digits are a matter of taste.
        (name.replace('_', ""), self.value())
    }

    fn separated<T>(&mut self, end: &str, mut read: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let mut all = Vec::new();
        while !self.take(end) {
            if !all.is_empty() {
                assert!(self.take(", "), "a comma at {}", self.rest);
            }
            all.push(read(self));
        }
        all
    }

    fn topic_id(&mut self) -> Tree {
        assert!(self.take("("), "an id at {}", self.rest);
        let id: TopicId = self.until(|character| character == ')').parse().unwrap();
        assert!(self.take(")"), "the end of an id at {}", self.rest);
        Tree::Leaf(hex(&id.0))
    }

    fn take(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else {
            return false;
        };
        self.rest = rest;
        true
    }

    fn until(&mut self, is_end: impl Fn(char) -> bool) -> &'a str {
        let length = self.rest.find(is_end).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest;
        word
    }

    /// Reads `"text"` or `b"bytes"`, quotes and escapes included.
    fn quoted(&mut self) -> Option<&'a str> {
        let start = if self.rest.starts_with("b\"") { 2 } else { 1 };
        if start == 1 && !self.rest.starts_with('"') {
            return None;
        }
        let mut escaped = false;
        let end = self.rest[start..].find(|character| {
            let is_end = character == '"' && !escaped;
            escaped = character == '\\' && !escaped;
            is_end
        });
        let (text, rest) = self
            .rest
            .split_at(start + end.expect("a closing quote") + 1);
        self.rest = rest;
        Some(text)
    }
}

/// Brings a UUID with dashes to the plain form.
fn plain(word: &str) -> String {
    let dashes = word.match_indices('-').map(|(place, _)| place);
    if dashes.eq([8, 13, 18, 23]) {
        word.replace('-', "")
    } else {
        word.into()
    }
}

/// Shows sixteen bytes as a UUID without dashes.
pub(crate) fn hex(bytes: &[u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(*bytes))
}

#[test]
fn debug_text_is_taken_apart() {
    #[derive(Debug)]
    struct Inner {
        _text: Option<&'static str>,
    }
    #[derive(Debug)]
    struct Outer {
        _number: i8,
        _inner: Vec<Inner>,
        _id: TopicId,
    }
    let text = format!(
        "{:?}",
        Outer {
            _number: -1,
            _inner: vec![
                Inner {
                    _text: Some("a\", {")
                },
                Inner { _text: None }
            ],
            _id: TopicId::ZERO,
        }
    );
    let inner = |text: &str| {
        let leaf = ("text".to_owned(), Tree::Leaf(text.to_owned()));
        Tree::Fields(BTreeMap::from([leaf]))
    };
    let want = BTreeMap::from([
        ("number".to_owned(), Tree::Leaf("-1".to_owned())),
        (
            "inner".to_owned(),
            Tree::List(vec![inner("\"a\\\", {\""), inner("None")]),
        ),
        ("id".to_owned(), Tree::Leaf("0".repeat(32))),
    ]);
    assert_eq!(Tree::parse(&text), Tree::Fields(want));
    let uuid = Tree::parse("01234567-89ab-cdef-0123-456789abcdef");
    assert_eq!(uuid, Tree::Leaf("0123456789abcdef0123456789abcdef".into()));
}
