//! Series of figures and their tables. Medians with their range; nothing is
//! smoothed or left out.

/// One figure over several rounds.
pub struct Series {
    name: String,
    unit: &'static str,
    values: Vec<f64>,
}

impl Series {
    /// An empty series.
    pub fn new(name: &str, unit: &'static str) -> Self {
        Series { name: name.to_owned(), unit, values: Vec::new() }
    }

    /// Adds the figure of a round.
    pub fn add(&mut self, value: f64) {
        self.values.push(value);
    }

    /// The value below which this part of the values lies.
    pub fn quantile(&self, part: f64) -> f64 {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let at = ((sorted.len() as f64) * part) as usize;
        sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }
}

/// Rate and latency of a load.
pub struct Load {
    /// Operations a second.
    pub per_second: f64,
    /// Latency that 99 of 100 stay below, in milliseconds.
    pub p99_ms: f64,
}

impl Load {
    /// From the latency of every operation, in milliseconds.
    pub fn of(mut latencies_ms: Vec<f64>, seconds: f64) -> Self {
        latencies_ms.sort_by(f64::total_cmp);
        let at = latencies_ms.len() * 99 / 100;
        Load {
            per_second: latencies_ms.len() as f64 / seconds,
            p99_ms: latencies_ms.get(at).copied().unwrap_or(f64::NAN),
        }
    }
}

/// Prints a table in Markdown.
pub fn print(table: &[Series]) {
    println!("\n| figure | median | min | max | unit | rounds |\n| --- | ---: | ---: | ---: | --- | ---: |");
    for series in table {
        let [median, min, max] = [0.5, 0.0, 1.0].map(|part| series.quantile(part));
        let (name, unit, rounds) = (&series.name, series.unit, series.values.len());
        println!("| {name} | {median:.2} | {min:.2} | {max:.2} | {unit} | {rounds} |");
    }
}
