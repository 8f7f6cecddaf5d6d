//! Tests of the queue's order, as scripts of what happens to it.

use super::*;

fn key(text: &str) -> ObjectKey {
    let (cluster, name) = text.split_once('|').unwrap_or(("root", text));
    ObjectKey::new(&ClusterName::new(cluster).unwrap(), "", name)
}

/// Runs a script: `+k` add, `pop`, `ok k`, `ok k @5` (again at 5 s), `err k @5`, `at 5` (release);
/// returns what each `pop` gave.
fn run(script: &[&str]) -> Vec<String> {
    let mut queue = Queue::default();
    let mut popped = Vec::new();
    for step in script {
        let words: Vec<&str> = step.split(' ').collect();
        let at = words.get(2).map(|text| Duration::from_secs(text[1..].parse().unwrap()));
        match words[0] {
            "pop" => popped.push(queue.pop().map_or("-".to_owned(), |key| key.to_string())),
            "ok" => queue.succeeded(&key(words[1]), at),
            "err" => {
                queue.count_failure(&key(words[1]));
                queue.ended(&key(words[1]), at);
            }
            "at" => {
                queue.release(Duration::from_secs(words[1].parse().unwrap()));
            }
            add => queue.add(key(&add[1..])),
        }
    }
    popped
}

#[track_caller]
fn check(script: &[&str], expect: &[&str]) {
    assert_eq!(run(script), expect, "{script:?}");
}

#[test]
fn a_key_is_there_once() {
    check(&["+a", "+a", "pop", "pop"], &["a", "-"]);
    check(&["+a", "pop", "+a", "+a", "pop", "ok a", "pop", "ok a", "pop"], &["a", "-", "a", "-"]);
}

#[test]
fn clusters_take_turns() {
    check(
        &["+x|1", "+x|2", "+x|3", "+y|1", "+z|1", "pop", "pop", "pop", "pop", "pop"],
        &["x|1", "y|1", "z|1", "x|2", "x|3"],
    );
    check(&["+x|1", "+x|2", "pop", "+y|1", "pop", "pop"], &["x|1", "x|2", "y|1"]);
}

#[test]
fn delays_are_kept_replaced_and_settled() {
    check(&["+a", "pop", "ok a @5", "at 4", "pop", "at 5", "pop"], &["a", "-", "a"]);
    // An event comes before the delay is over: the reconcile it causes settles the delay.
    check(&["+a", "pop", "ok a @5", "+a", "pop", "ok a", "at 9", "pop"], &["a", "a", "-"]);
    // Asked for while it ran: at once, whatever it said.
    check(&["+a", "pop", "+a", "ok a @5", "pop"], &["a", "a"]);
    check(&["+a", "pop", "err a @5", "pop", "at 5", "pop"], &["a", "-", "a"]);
}

#[test]
fn failures_count_until_success() {
    let mut queue = Queue::default();
    assert_eq!([queue.count_failure(&key("a")), queue.count_failure(&key("a"))], [1, 2]);
    queue.succeeded(&key("a"), None);
    assert_eq!(queue.count_failure(&key("a")), 1);
    assert!(queue.is_idle());
}
