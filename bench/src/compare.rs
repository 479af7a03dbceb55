//! `compare`: the ratio of one figure over runs of two sides that were taken in turns.

use std::fmt;
use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::args;
use crate::error::Error;
use crate::report;
use crate::statistics::{Ratio, Spread};

#[derive(Debug, Serialize)]
struct Comparison {
    title: String,
    field: String,
    a: Spread,
    b: Spread,
    /// Of a by b.
    ratio: Ratio,
    /// Seconds of steal and of other programs' processor time, over all runs.
    steal_s: f64,
    other_cpu_s: f64,
    seconds: f64,
}

/// Runs the subcommand.
pub(crate) fn run(options: &args::Compare) -> Result<(), Error> {
    let (a, b) = (results(&options.a)?, results(&options.b)?);
    let values = |file: &Path, results: &[Value]| figures(file, results, &options.field);
    let (a_values, b_values) = (values(&options.a, &a)?, values(&options.b, &b)?);
    let unpaired = Error::Unpaired {
        a: a.len(),
        b: b.len(),
    };
    if a.len() != b.len() {
        return Err(unpaired);
    }
    let pairs: Vec<_> = a_values
        .iter()
        .copied()
        .zip(b_values.iter().copied())
        .collect();
    let (Some(a_spread), Some(b_spread)) = (Spread::of(&a_values), Spread::of(&b_values)) else {
        return Err(unpaired);
    };
    let sum = |field: &str| {
        let both = a.iter().chain(&b);
        both.filter_map(|it| it.pointer(field)?.as_f64()).sum()
    };
    let comparison = Comparison {
        title: options
            .title
            .clone()
            .unwrap_or_else(|| options.field.clone()),
        field: options.field.clone(),
        a: a_spread,
        b: b_spread,
        ratio: Ratio::of(&pairs).ok_or(Error::NoRatio)?,
        steal_s: sum("/machine/steal_s"),
        other_cpu_s: sum("/machine/other_cpu_s"),
        seconds: sum("/seconds"),
    };
    report::print(&comparison, options.json)
}

/// Reads a file of one JSON line for each run.
fn results(file: &Path) -> Result<Vec<Value>, Error> {
    let text = fs::read_to_string(file).map_err(|source| Error::System {
        doing: format!("cannot read {}", file.display()),
        source,
    })?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    Ok(lines.map(serde_json::from_str).collect::<Result<_, _>>()?)
}

fn figures(file: &Path, results: &[Value], field: &str) -> Result<Vec<f64>, Error> {
    let figure = |(index, result): (usize, &Value)| {
        let value = result.pointer(field).and_then(Value::as_f64);
        value.ok_or_else(|| Error::NoFigure {
            file: file.display().to_string(),
            line: index + 1,
            field: field.to_owned(),
        })
    };
    results.iter().enumerate().map(figure).collect()
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ratio {
            median,
            low,
            high,
            pairs,
        } = self.ratio;
        let side = |it: Spread| format!("{:.4} ({:.4}-{:.4})", it.median, it.min, it.max);
        writeln!(f, "{}", self.title)?;
        writeln!(f, "  a      {}", side(self.a))?;
        writeln!(f, "  b      {}", side(self.b))?;
        writeln!(
            f,
            "  ratio  {median:.3} [{low:.3}, {high:.3}] over {pairs} pairs"
        )?;
        write!(
            f,
            "  during {:.0} s: steal {:.2} s, other programs {:.2} CPU-s",
            self.seconds, self.steal_s, self.other_cpu_s
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_are_found_by_their_place_in_the_result() {
        let results = [json!({"broker": {"cpu_s": 2}}), json!({"broker": {}})];
        let file = Path::new("a.json");
        let found = figures(file, &results[..1], "/broker/cpu_s").unwrap();
        assert_eq!(found.len(), 1);
        assert!((found[0] - 2.0).abs() < f64::EPSILON);
        let missing = figures(file, &results, "/broker/cpu_s");
        assert!(matches!(missing, Err(Error::NoFigure { line: 2, .. })));
    }
}
