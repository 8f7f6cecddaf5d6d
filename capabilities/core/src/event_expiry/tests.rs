//! Tests of which events are removed, and when the next sweep is due.

use client::fake::{FakeObjects, Verb};
use serde_json::json;

use super::*;

#[tokio::test]
async fn old_events_go_and_recent_ones_stay() {
    let clock = Clock::manual("2026-01-01T12:00:00Z".parse().unwrap());
    let fake = FakeObjects::with_clock(clock.clone());
    let put = |name: &str, times: serde_json::Value| {
        let mut event = json!({ "apiVersion": "v1", "kind": "Event", "metadata": { "namespace": "ns", "name": name } });
        event.as_object_mut().unwrap().extend(times.as_object().unwrap().clone());
        fake.put(&event);
    };
    put("old", json!({ "firstTimestamp": "2026-01-01T10:00:00Z", "lastTimestamp": "2026-01-01T12:00:00Z" }));
    clock.advance(Duration::from_secs(30 * 60));
    put("counted", json!({ "firstTimestamp": "2026-01-01T10:00:00Z", "lastTimestamp": "2026-01-01T12:40:00Z" }));
    put(
        "series",
        json!({ "eventTime": "2026-01-01T10:00:00.5Z", "series": { "lastObservedTime": "2026-01-01T12:50:00.123456Z" } }),
    );
    put("bare", json!({}));
    clock.advance(Duration::from_secs(30 * 60));

    let sweeper = Sweeper { objects: fake.objects(), clock };
    let pause = sweeper.sweep().await.unwrap();
    let mut names: Vec<String> = fake.all("events").iter().map(|event| event.meta.name.clone()).collect();
    names.sort();
    assert_eq!(names, ["bare", "counted", "series"]);
    assert_eq!(pause, Duration::from_secs(30 * 60), "bare was made at 12:30");

    fake.fail_next(Verb::List, "events", Status::unavailable("not now"));
    assert!(sweeper.sweep().await.is_err());
}

#[test]
fn the_next_sweep() {
    for (oldest_kept, now, expect) in [(1000, 1000, 3600), (1000, 4000, 600), (1000, 4590, 60), (1000, 9000, 60)] {
        assert_eq!(pause(oldest_kept, now), Duration::from_secs(expect), "{oldest_kept} at {now}");
    }
}
