//! Tables of how many replicas a metric asks for, by Kubernetes' published
//! algorithm.

use jiff::{SignedDuration, Timestamp};

use super::{ByShare, Member, Sample, Samples, Scene, Tolerance};
use crate::views::Phase;

const TOLERANCE: Tolerance = Tolerance { down: 0.1, up: 0.1 };

fn at(secs: i64) -> Timestamp {
    "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(secs)
}

/// A pod that requests 1000, in words: `pending`, `failed`, `going`, `unready` (since its start, an
/// hour ago), `fresh` (started a minute ago, ready for 30 s), `cold` (the same, not ready).
fn member(index: usize, words: &str) -> Member {
    let is = |word: &str| words.split(' ').any(|held| held == word);
    let phase = match words {
        _ if is("pending") => Phase::Pending,
        _ if is("failed") => Phase::Failed,
        _ => Phase::Running,
    };
    let (started, since) = if is("fresh") || is("cold") { (-60, -30) } else { (-3600, -3590) };
    let ready = !(is("unready") || is("cold"));
    Member {
        name: format!("pod-{index}"),
        phase,
        is_deleting: is("going"),
        ready: Some((ready, at(since))),
        is_ready: ready,
        started: Some(at(started)),
        request: Ok(1000),
    }
}

fn members(words: &[&str]) -> Vec<Member> {
    words.iter().enumerate().map(|(index, words)| member(index, words)).collect()
}

/// Figures of the first pods; a negative one is none.
fn samples(levels: &[i64]) -> Samples {
    let window = SignedDuration::from_secs(15);
    let sample = |value| Sample { value, time: at(0), window };
    let known = levels.iter().enumerate().filter(|(_, level)| **level >= 0);
    known.map(|(index, level)| (format!("pod-{index}"), sample(*level))).collect()
}

fn scene(members: &[Member], current: i64) -> Scene<'_> {
    Scene { current, members, is_cpu: true, tolerance: TOLERANCE, now: at(0) }
}

#[test]
fn replicas_follow_the_share_of_requests() {
    let up = ["ready"; 4];
    // Name, pods, their figures, target in percent, replicas, percent.
    type Case<'a> = (&'a str, &'a [&'a str], &'a [i64], i64, i64, i64);
    let cases: &[Case<'_>] = &[
        ("up", &up[..3], &[300, 500, 700], 30, 5, 50),
        ("down", &["ready"; 5], &[100, 300, 500, 250, 250], 50, 3, 28),
        ("as it is", &up[..3], &[510, 510, 510], 50, 3, 51),
        ("within tolerance above", &up[..3], &[1090, 1090, 1090], 100, 3, 109),
        ("beyond tolerance", &up[..3], &[1120, 1120, 1120], 100, 4, 112),
        ("far up", &up[..4], &[4000, 4000, 4000, 4000], 50, 32, 400),
        // What is not ready counts as idle when going up, and not at all when going down.
        ("up dampened by the unready", &["ready", "ready", "cold"], &[700, 700, 9000], 30, 5, 70),
        ("up by nothing for the unready", &["ready", "ready", "cold"], &[500, 500, 9000], 40, 3, 50),
        ("down without the unready", &["ready", "ready", "cold"], &[200, 200, 9000], 50, 1, 20),
        ("pending is unready", &["ready", "ready", "pending"], &[700, 700], 30, 5, 70),
        // What is missing counts against the direction.
        ("down dampened by the missing", &["ready"; 4], &[100, 100, 100, -1], 50, 3, 10),
        ("up dampened by the missing", &["ready"; 4], &[1000, 1000, 1000, -1], 50, 6, 100),
        ("the missing turn nothing", &up[..2], &[550, -1], 50, 2, 55),
        (
            "failed and going pods do not count",
            &["ready", "ready", "failed", "going"],
            &[500, 500, 900, 900],
            50,
            4,
            50,
        ),
        ("unready for long is believed", &["ready", "ready", "ready"], &[900, 900, 900], 50, 6, 90),
    ];
    for (name, words, levels, target, replicas, percent) in cases {
        let members = members(words);
        let current = i64::try_from(members.len()).unwrap();
        let found = scene(&members, current).by_share(*target, samples(levels)).unwrap();
        assert_eq!((found.replicas, found.percent), (*replicas, *percent), "{name}");
    }
}

#[test]
fn processors_of_a_start_are_not_believed() {
    let cases: &[(&str, &str, i64, bool)] = &[
        ("long ready", "ready", 0, true),
        ("ready for a window", "fresh", 0, true),
        ("measured before it was ready", "fresh", -25, false),
        ("not ready and young", "cold", 0, false),
        ("was never ready", "unready", 0, false),
    ];
    for (name, words, measured, expect) in cases {
        let members = [member(0, words), member(1, "ready")];
        let mut levels = samples(&[100, 100]);
        levels.get_mut("pod-0").unwrap().time = at(*measured);
        let scene = Scene { current: 2, ..scene(&members, 2) };
        let found = scene.by_share(1000, levels.clone()).unwrap();
        // Each pod that counts is one of the replicas wanted at least.
        assert_eq!(found.replicas, 1, "{name}");
        let groups = scene.grouped(&mut levels).unwrap();
        assert_eq!(groups.ready == 2, *expect, "{name}");
        // Of other resources all figures are believed.
        let memory = Scene { is_cpu: false, ..scene };
        assert_eq!(memory.grouped(&mut samples(&[100, 100])).unwrap().ready, 2, "{name}");
    }
}

#[test]
fn replicas_follow_an_average() {
    // Name, figures, pods, target, replicas and average.
    type Case<'a> = (&'a str, &'a [i64], usize, i64, (i64, i64));
    let cases: &[Case<'_>] = &[
        ("up", &[20_000, 10_000, 30_000], 3, 15_000, (4, 20_000)),
        ("down", &[12_000, 12_000, 12_000, 12_000, 12_000], 5, 20_000, (3, 12_000)),
        ("as it is", &[20_000, 21_000, 21_000], 3, 20_000, (3, 20_666)),
        ("down dampened by the missing", &[5_000, -1, -1], 3, 10_000, (3, 5_000)),
        ("up dampened by the missing", &[40_000, 40_000, -1], 3, 10_000, (8, 40_000)),
    ];
    for (name, levels, pods, target, expect) in cases {
        let members = members(&vec!["ready"; *pods]);
        let scene = Scene { is_cpu: false, ..scene(&members, i64::try_from(*pods).unwrap()) };
        assert_eq!(scene.by_average(*target, samples(levels)).as_ref(), Ok(expect), "{name}");
    }
}

#[test]
fn replicas_follow_a_value() {
    let cases = [
        ("up", vec!["ready"; 3], 3, 20_000, 15_000, 4),
        ("down", vec!["ready"; 5], 5, 12_000, 20_000, 3),
        ("as it is", vec!["ready"; 3], 3, 20_500, 20_000, 3),
        ("only ready pods count", vec!["ready", "unready", "pending"], 3, 40_000, 20_000, 2),
        ("from nothing", vec![], 0, 30_000, 20_000, 2),
        ("stays at nothing", vec![], 0, 0, 20_000, 0),
    ];
    for (name, words, current, usage, target, expect) in cases {
        let members = members(&words);
        assert_eq!(scene(&members, current).by_value(usage, target), Ok(expect), "{name}");
    }
    assert!(scene(&[], 3).by_value(9, 1).unwrap_err().starts_with("unable to calculate ready pods: no pods returned"));
}

#[test]
fn replicas_follow_a_value_that_pods_share() {
    let cases = [
        ("up", 8_600, 2_150, 3, (4, 2_867)),
        ("as it is", 8_600, 2_867, 3, (3, 2_867)),
        ("down", 8_600, 4_300, 3, (2, 2_867)),
        ("from nothing", 8_600, 4_300, 0, (2, 8_600)),
    ];
    for (name, usage, target, running, expect) in cases {
        assert_eq!(scene(&[], 3).by_value_per_pod(usage, target, running), expect, "{name}");
    }
}

#[test]
fn each_direction_has_its_tolerance() {
    let members = members(&["ready"; 10]);
    let of = |down, up, level: i64| {
        let scene = Scene { tolerance: Tolerance { down, up }, ..scene(&members, 10) };
        scene.by_share(100, samples(&[level; 10])).map(|found| found.replicas)
    };
    assert_eq!(of(0.1, 0.5, 1400), Ok(10));
    assert_eq!(of(0.5, 0.1, 1400), Ok(14));
    assert_eq!(of(0.5, 0.1, 600), Ok(10));
    assert_eq!(of(0.0, 0.0, 990), Ok(10));
    assert_eq!(of(0.0, 0.0, 890), Ok(9));
}

#[test]
fn what_cannot_be_known_is_told() {
    let of = |members: &[Member], levels: &[i64]| scene(members, 1).by_share(50, samples(levels));
    assert_eq!(of(&[], &[1]), Err("no pods returned by selector while calculating replica count".into()));
    let ready = member(0, "ready");
    assert_eq!(of(std::slice::from_ref(&ready), &[]), Err("did not receive metrics for any ready pods".into()));
    assert_eq!(of(&[member(0, "cold")], &[5]), Err("did not receive metrics for any ready pods".into()));
    let why = Err("missing request for cpu in container main of Pod web".to_owned());
    assert_eq!(of(&[Member { request: why.clone(), ..ready.clone() }], &[5]).map(|_| 0), why);
    let none = Member { request: Ok(0), ..ready };
    assert_eq!(of(&[none], &[5]), Err("no metrics returned matched known pods".into()));
    let one = of(&[member(0, "ready")], &[250]);
    assert_eq!(one, Ok(ByShare { replicas: 1, percent: 25, average: 250 }));
}
