//! The Prometheus text format, written line by line.
//!
//! *Source*: the exposition format 0.0.4: `# HELP`, `# TYPE`, then one sample a line.

use std::fmt::{Display, Write as _};

/// How a sample behaves over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Buckets, a sum and a count.
    Histogram,
}

/// A page in the making.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
}

impl Exposition {
    /// Starts a family: its samples follow.
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    /// Writes one sample.
    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.text.push_str(name);
        if !labels.is_empty() {
            self.text.push('{');
            for (index, (label, value)) in labels.iter().enumerate() {
                if index > 0 {
                    self.text.push(',');
                }
                self.text.push_str(label);
                self.text.push_str("=\"");
                self.escaped(value);
                self.text.push('"');
            }
            self.text.push('}');
        }
        self.line(format_args!(" {value}"));
    }

    /// Ends the page.
    pub(super) fn finish(self) -> String {
        self.text
    }

    fn escaped(&mut self, value: &str) {
        for character in value.chars() {
            match character {
                '\\' => self.text.push_str("\\\\"),
                '"' => self.text.push_str("\\\""),
                '\n' => self.text.push_str("\\n"),
                other => self.text.push(other),
            }
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        self.text
            .write_fmt(line)
            .expect("a string takes what is written");
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_have_escaped_labels() {
        let mut page = Exposition::default();
        page.family("x_total", Kind::Counter, "Xs.");
        page.sample("x_total", &[("a", "q\"\\\n"), ("b", "2")], 3);
        page.sample("x_total", &[], 1.5);
        let want = "# HELP x_total Xs.\n# TYPE x_total counter\n\
                    x_total{a=\"q\\\"\\\\\\n\",b=\"2\"} 3\nx_total 1.5\n";
        assert_eq!(page.finish(), want);
    }
}
