//! `coracle create`: everything is checked, then the platform is brought up, then
//! its packages are asked for and waited for. A platform that this very call
//! made is removed again if it cannot be completed; once its packages are in place
//! nothing of it is removed, whatever fails later.

mod turn;

use std::cell::Cell;
use std::time::Duration;

use base::clock::Stopwatch;
use base::{Clock, Diagnostic, Tasks};
use client::Objects;
use packages::kinds::PackageConfigs;
use server::{Config, Layout};

use self::turn::Turn;
use crate::arguments::{self, Package};
use crate::asked::{self, Asked};
use crate::cli::{Create, Global};
use crate::commands::{delete, follow, get, lifecycle};
use crate::ui::Stages;
use crate::wait::{Goal, Refusal, Verdict};
use crate::watch::Watch;
use crate::{banner, connection, flags, localbuild, output, paths, process, record, stack};

/// What `create` was asked for, checked.
struct Job {
    name: String,
    layout: Layout,
    asked: Asked,
    packages: Vec<Package>,
    timeout: Duration,
    recreate: bool,
    no_exit: bool,
    no_wait: bool,
    log_level: String,
    started: Stopwatch,
    clock: Clock,
}

/// How far it came, for whoever has to clear up.
#[derive(Default)]
struct Progress {
    /// This call made the platform and answers for it until its packages are in place.
    made: Cell<bool>,
    /// The packages were asked for.
    asked_for: Cell<bool>,
    /// No other `create` of this platform gets here meanwhile.
    turn: Cell<Option<Turn>>,
}

impl Progress {
    /// There is a platform of this call's making that nobody was asked to fill.
    fn is_half_made(&self) -> bool {
        self.made.get() && !self.asked_for.get()
    }
}

/// Creates a platform or updates one.
pub async fn run(args: &Create, global: &Global) -> Result<(), Diagnostic> {
    let clock = Clock::system();
    let started = clock.stopwatch();
    flags::format(&args.output)?;
    let mut stages = Stages::new(args.output == "json");
    let name = asked::name(args)?;
    let job = Job {
        layout: paths::layout(&name, asked::data_dir(args).as_deref())?,
        name,
        asked: Asked::read(args)?,
        timeout: flags::timeout(&args.timeout)?,
        recreate: args.recreate,
        no_exit: args.no_exit,
        no_wait: args.no_wait,
        log_level: global.log_level.clone(),
        packages: Vec::new(),
        started,
        clock,
    };
    for note in asked::without_meaning(args)? {
        stages.note(&note);
    }
    let progress = Progress::default();
    let (name, layout) = (job.name.clone(), job.layout.clone());
    let outcome = tokio::select! {
        outcome = checked(job, &args.package, &progress, &mut stages) => outcome,
        () = interrupted() => Err(interruption(&progress)),
    };
    if matches!(&outcome, Err(diagnostic) if diagnostic.code == "interrupted") && progress.is_half_made() {
        clear_up(&name, &layout, &mut stages).await;
    }
    stages.finish();
    outcome
}

/// Waits for Ctrl-C or the request to end.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

fn interruption(progress: &Progress) -> Diagnostic {
    let diagnostic = Diagnostic::new("interrupted", "command interrupted");
    if progress.asked_for.get() {
        return diagnostic.hint("the platform goes on in the background; look with `coracle status`");
    }
    diagnostic.hint("nothing was left half-made; run the command again")
}

/// Checks the packages, then does it; clears up after a failure.
async fn checked(mut job: Job, named: &[String], progress: &Progress, stages: &mut Stages) -> Result<(), Diagnostic> {
    let took = job.clock.stopwatch();
    stages.doing("checking packages");
    job.packages = arguments::check(named).await?;
    if !job.packages.is_empty() {
        stages.done(&format!("{} checked", count(job.packages.len(), "package")), took);
    }
    let outcome = make(&job, progress, stages).await;
    if let Err(diagnostic) = &outcome {
        let keeps = matches!(diagnostic.code.as_str(), "timed-out" | "interrupted");
        if progress.made.get() && !keeps {
            clear_up(&job.name, &job.layout, stages).await;
        }
    }
    outcome
}

/// Removes what was made. What brought it about is the error to report, so that a failure
/// here is only noted.
async fn clear_up(name: &str, layout: &Layout, stages: &mut Stages) {
    stages.doing("removing what was made");
    if let Err(other) = delete::everything(name, layout).await {
        stages.note(&format!("what was made could not be removed whole: {other}; {}", other.hint));
    }
}

async fn make(job: &Job, progress: &Progress, stages: &mut Stages) -> Result<(), Diagnostic> {
    let config = platform(job, progress, stages).await?;
    record::install_context(&job.layout, &job.name)?;
    let objects = connection::connect(&job.layout.kubeconfig()).await?;
    let before = localbuild::read(&*objects, &job.name).await?.unwrap_or_default().spec.package_configs;
    let configs = match (job.packages.is_empty(), before.in_order().is_empty()) {
        // A second `create` without packages brings those there are up to date.
        (true, false) => None,
        (true, true) => {
            let stack = stack::unpack(job.layout.root())?;
            Some(localbuild::package_configs(&[Package::Directory(stack)]))
        }
        (false, _) => Some(localbuild::added(&before, &job.packages)),
    };
    let took = job.clock.stopwatch();
    stages.doing("installing packages");
    let tasks = Tasks::default();
    let watch = Watch::start(&objects, &job.name, &tasks);
    let start_time = localbuild::ask(&*objects, &job.clock, &config, configs).await?;
    progress.asked_for.set(true);
    let goal = Goal { start_time, healthy: !job.no_wait };
    if !progress.made.get() {
        // Nothing is left that another `create` could come between.
        progress.turn.take();
    }
    let notes = match settle(job, &watch, &goal, stages).await {
        Err(diagnostic) if diagnostic.code != "timed-out" && !progress.made.get() => {
            take_back(job, &*objects, &config, &before, stages).await;
            return Err(diagnostic);
        }
        settled => settled?,
    };
    progress.made.set(false);
    progress.turn.take();
    let applications = watch.look().packages.len();
    stages.done(&format!("{} in place", count(applications, "Application")), took);
    stages.finish();
    for note in notes {
        stages.note(&note);
    }
    let secs = job.started.elapsed().as_secs_f64();
    let summary = format!("{} in place after {secs:.2} s.", count(applications, "Application"));
    let codespaces = paths::variable("CODESPACES").is_some();
    let present = get::core_secrets(&*objects).await?;
    output::print(&banner::text(&config, codespaces, &present, &summary));
    if job.no_exit {
        follow::run(&*objects, &watch, &config, &job.packages, &job.clock).await?;
    }
    tasks.stop(Duration::from_secs(1)).await;
    Ok(())
}

/// Takes the packages of a refused call out again: left in, they would refuse every later one.
async fn take_back(job: &Job, objects: &dyn Objects, config: &Config, before: &PackageConfigs, stages: &Stages) {
    let added: Vec<String> = job.packages.iter().map(Package::argument).collect();
    let added: Vec<String> = added.into_iter().filter(|package| !before.in_order().contains(package)).collect();
    if added.is_empty() {
        return;
    }
    let outcome = async {
        let _turn = turn::take(&job.layout, stages).await?;
        let now = localbuild::read(objects, &job.name).await?.unwrap_or_default().spec.package_configs;
        localbuild::ask(objects, &job.clock, config, Some(localbuild::without(now, &added))).await
    };
    match outcome.await {
        Ok(_) => stages.note("nothing was added; the packages there were stay"),
        Err(other) => stages.note(&format!("what was added could not be taken out again: {other}")),
    }
}

/// A platform that runs: the one there is, or a new one.
async fn platform(job: &Job, progress: &Progress, stages: &mut Stages) -> Result<Config, Diagnostic> {
    progress.turn.set(turn::take(&job.layout, stages).await?);
    let took = job.clock.stopwatch();
    let existing = job.layout.load()?;
    if let Some(existing) = existing.as_ref().filter(|existing| existing.name != job.name) {
        let title = format!("{} holds the platform {}", job.layout.root().display(), existing.name);
        return Err(Diagnostic::new("foreign-directory", title)
            .hint(format!("use --name {}, or another --data-dir", existing.name)));
    }
    if let Some(existing) = existing.as_ref().filter(|_| !job.recreate) {
        job.asked.check(existing)?;
        if !process::is_serving(&job.layout).await {
            stages.doing("starting the platform");
            lifecycle::bring_up(existing, &job.layout, &job.log_level).await?;
            stages.done("platform started", took);
        }
        return Ok(existing.clone());
    }
    let (config, note) = job.asked.new_config(&job.name).await;
    if let Some(note) = note {
        stages.note(&note);
    }
    // Everything is checked before anything is deleted or made.
    let serving = existing.as_ref().filter(|_| job.layout.running().is_some());
    lifecycle::check_ports_but(&config, serving)?;
    record::check_kubeconfig()?;
    if let Some(existing) = &existing {
        stages.doing("deleting the platform there is");
        delete::everything(&existing.name, &job.layout).await?;
    }
    stages.doing("starting the platform");
    job.layout.create(&config)?;
    progress.made.set(true);
    lifecycle::bring_up(&config, &job.layout, &job.log_level).await?;
    stages.done("platform started", took);
    Ok(config)
}

/// Waits until the packages are in place; returns what is worth saying of them.
async fn settle(job: &Job, watch: &Watch, goal: &Goal, stages: &mut Stages) -> Result<Vec<String>, Diagnostic> {
    let last = Cell::new(None);
    let mut tell = |verdict: &Verdict| {
        if let Verdict::Waiting(pending) = verdict {
            stages
                .waiting(pending.iter().map(|one| format!("{}: {}", one.name, one.why)).collect::<Vec<_>>().join("; "));
        }
        last.set(Some(verdict.clone()));
    };
    match tokio::time::timeout(job.timeout, watch.until_settled(goal, &mut tell)).await {
        Ok(Verdict::Done(notes)) => Ok(notes),
        Ok(Verdict::Refused(refusals)) => Err(refused(refusals)),
        Ok(verdict @ Verdict::Waiting(_)) => Err(timed_out(job, Some(verdict))),
        Err(_) => Err(timed_out(job, last.take())),
    }
}

fn refused(refusals: Vec<Refusal>) -> Diagnostic {
    let detail: Vec<String> = refusals.iter().map(|refusal| format!("{}: {}", refusal.name, refusal.why)).collect();
    let first = refusals.into_iter().next();
    let (code, hint) = first.map_or_else(Default::default, |first| (first.code, first.hint));
    let title = format!("{} cannot be installed", count(detail.len(), "package"));
    let mut diagnostic = Diagnostic::new("bad-package", title).detail(detail.join("\n")).hint(hint);
    if !code.is_empty() {
        // The first package's own code says most.
        diagnostic.code = code;
    }
    diagnostic
}

fn timed_out(job: &Job, last: Option<Verdict>) -> Diagnostic {
    let secs = job.timeout.as_secs();
    let diagnostic = Diagnostic::new("timed-out", format!("not everything is in place after {secs} seconds"));
    let reasons = match last {
        Some(Verdict::Waiting(pending)) => pending.iter().map(|one| format!("{}: {}", one.name, one.why)).collect(),
        _ => vec!["the platform's objects could not be read".to_owned()],
    };
    diagnostic
        .detail(reasons.join("\n"))
        .hint("the platform goes on in the background; look with `coracle status`, or give it longer with --timeout")
}

/// `1 package`, `2 packages`.
pub fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
