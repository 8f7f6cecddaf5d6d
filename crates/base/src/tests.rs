//! Time that stands still, ids that fit, tasks that fail alone.

use std::time::Duration;

use jiff::Timestamp;

use crate::{Clock, Diagnostic, Ids, Tasks};

#[test]
fn a_manual_clock_moves_only_when_told() {
    let clock = Clock::manual(Timestamp::from_second(1_767_225_600).expect("a valid second"));
    assert_eq!(clock.now_rfc3339(), "2026-01-01T00:00:00Z");
    assert_eq!(clock.now_micro(), "2026-01-01T00:00:00.000000Z");
    clock.clone().advance(Duration::from_millis(1500));
    assert_eq!(clock.now_rfc3339(), "2026-01-01T00:00:01Z");
}

#[test]
fn ids_have_their_shape_and_differ() {
    let ids = Ids::system();
    assert_eq!(ids.uid().len(), 36);
    assert_ne!(ids.uid(), ids.uid());
    let suffix = ids.name_suffix();
    assert!(suffix.len() == 5 && suffix.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte)), "{suffix}");
    assert_eq!(ids.password(40).len(), 40);
    assert_eq!(ids.token_hex(20).len(), 40);
}

#[test]
fn a_diagnostic_prints_itself_only() {
    let diagnostic = Diagnostic::new("code", "it broke").detail("a wire").hint("mend it");
    assert_eq!(diagnostic.to_string(), "it broke: a wire");
}

#[tokio::test]
async fn a_task_that_panics_is_named_and_the_others_go_on() {
    let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let tasks = Tasks::default().child_noticed_by(move |failure| drop(heard.send(failure.task.clone()))).child();
    let (done, finished) = tokio::sync::oneshot::channel();
    tasks.spawn("unlucky", async { panic!("on purpose") });
    tasks.spawn("lucky", async move {
        let _ = done.send(());
    });
    assert!(finished.await.is_ok());
    tasks.spawn("endless", std::future::pending());
    assert!(tasks.stop(Duration::from_secs(5)).await, "shutdown ends what waits");
    let failures = tasks.failures();
    assert_eq!(failures.len(), 1);
    assert_eq!(hears.recv().await.as_deref(), Some("unlucky"));
    assert_eq!((failures[0].task.as_str(), failures[0].message.as_str()), ("unlucky", "on purpose"));
}
