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

/// One figure of ours and of the peer, measured in turn.
pub struct Pair {
    ours: Series,
    theirs: Series,
    alone: Series,
    ratio: Series,
}

impl Pair {
    /// An empty pair.
    pub fn new(name: &str, unit: &'static str) -> Self {
        let series = || Series::new(name, unit);
        Pair { ours: series(), theirs: series(), alone: series(), ratio: series() }
    }

    /// Adds a round.
    pub fn add(&mut self, ours: f64, theirs: f64) {
        self.ours.add(ours);
        self.theirs.add(theirs);
        self.ratio.add(ours / theirs);
    }

    /// Adds a round in which a part of the peer's figure is its own and not its store's.
    pub fn add_with_store(&mut self, ours: f64, theirs: f64, alone: f64) {
        self.add(ours, theirs);
        self.alone.add(alone);
    }
}

/// Prints pairs as a table in Markdown: medians with their range.
pub fn print_pairs(pairs: &[Pair]) {
    println!("\n| figure | coracle | kube-apiserver | without etcd | ratio |\n| --- | ---: | ---: | ---: | ---: |");
    for Pair { ours, theirs, alone, ratio } in pairs {
        let (name, unit) = (&ours.name, ours.unit);
        let (mine, other, part) = (ours.with_range(), theirs.with_range(), alone.with_range());
        println!("| {name}, {unit} | {mine} | {other} | {part} | {} |", ratio.with_range());
    }
}

impl Series {
    /// `median (least–most)`, or nothing of an empty series.
    fn with_range(&self) -> String {
        if self.values.is_empty() {
            return String::new();
        }
        let [median, least, most] = [0.5, 0.0, 1.0].map(|part| self.quantile(part));
        // As many digits as mean something.
        let digits = match median.abs() {
            size if size >= 100.0 => 0,
            size if size >= 10.0 => 1,
            size if size >= 1.0 => 2,
            _ => 3,
        };
        format!("{median:.digits$} ({least:.digits$}–{most:.digits$})")
    }
}
