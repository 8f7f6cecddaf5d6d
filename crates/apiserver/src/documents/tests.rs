//! What the shelf keeps and what it lets go.

use std::sync::Arc;

use api::ClusterName;
use bytes::Bytes;

use super::{Documents, Index, MOST_BYTES, MOST_INDEXES};

fn index(hashes: &[(&str, &str)]) -> Arc<Index> {
    let hashes = hashes.iter().map(|(key, hash)| ((*key).to_owned(), (*hash).to_owned())).collect();
    Arc::new(Index { hashes, text: Bytes::new() })
}

#[test]
fn the_shelf_is_bounded_and_lets_go_what_was_not_used() {
    let mut documents = Documents::default();
    let third = Bytes::from(vec![0; MOST_BYTES / 3]);
    for hash in ["a", "b", "c"] {
        documents.keep(hash, third.clone());
    }
    assert!(documents.get("a").is_some());
    documents.keep("d", third);
    assert!(documents.get("b").is_none(), "it was not used the longest");
    assert!(["a", "c", "d"].iter().all(|hash| documents.get(hash).is_some()));
    documents.keep("huge", Bytes::from(vec![0; 2 * MOST_BYTES]));
    assert!(documents.get("huge").is_some() && documents.get("a").is_none());
}

#[test]
fn an_index_is_of_one_generation() {
    let (root, mut documents) = (ClusterName::root(), Documents::default());
    documents.keep_index(&root, 1, index(&[("api/v1", "a"), ("apis/x/v1", "b")]));
    documents.keep("a", Bytes::from_static(b"a"));
    documents.keep("b", Bytes::from_static(b"b"));
    assert!(documents.index(&root, 1).is_some());
    assert!(documents.index(&root, 2).is_none());
    documents.keep_index(&root, 2, index(&[("api/v1", "a"), ("apis/x/v1", "c")]));
    assert!(documents.get("a").is_some(), "its document is the same");
    assert!(documents.get("b").is_none(), "no index names it any more");
    for count in 0..3 * MOST_INDEXES {
        let cluster = ClusterName::new(&format!("c{count}")).expect("a name");
        documents.keep_index(&cluster, 2, index(&[]));
        assert!(documents.indexes.len() <= MOST_INDEXES);
    }
}

#[test]
fn what_is_idle_goes() {
    let mut documents = Documents::default();
    assert!(documents.begin_watch() && !documents.begin_watch());
    documents.keep("a", Bytes::from_static(b"a"));
    let asked = documents.drop_if_idle(u64::MAX).expect("it is another count");
    assert!(documents.get("a").is_some());
    let asked = documents.drop_if_idle(asked).expect("somebody asked");
    assert_eq!(documents.drop_if_idle(asked), None);
    assert!(documents.get("a").is_none());
    assert!(documents.begin_watch(), "the next one is watched again");
}
