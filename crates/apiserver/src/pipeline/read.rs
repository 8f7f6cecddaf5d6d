//! Lists: consistent at one revision, in pages that go on where the last ended.

use api::{ClusterName, Status};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use store::Prefix;

use super::select::Selectors;
use super::server::{ApiServer, Subject, store_error};
use crate::custom;
use crate::record::Record;

/// Objects that a selecting list looks through at a time.
const STRETCH: usize = 1000;

/// The state that a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadAt {
    /// The newest.
    Newest,
    /// The newest, which must not be older than this.
    NotOlderThan(u64),
    /// Exactly this.
    Exact(u64),
}

/// One object of a list.
pub struct Listed {
    /// Logical cluster.
    pub cluster: ClusterName,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The object.
    pub record: Record,
}

/// A list, or a page of one.
pub struct Listing {
    /// Objects in the order of cluster, namespace and name.
    pub items: Vec<Listed>,
    /// The state it is of.
    pub revision: u64,
    /// Where the next page begins.
    pub next: Option<String>,
    /// How many follow, if known.
    pub remaining: Option<u64>,
}

/// The form of a continue token.
const TOKEN_FORMAT: &str = "coracle.dev/v1";

#[derive(Serialize, Deserialize)]
struct Token {
    v: String,
    rv: u64,
    cluster: String,
    namespace: String,
    name: String,
}

impl ApiServer {
    /// Lists a resource in the subject's cluster, or in all clusters.
    pub fn list(
        &self,
        subject: &Subject,
        all_clusters: bool,
        selectors: &Selectors,
        at: ReadAt,
        limit: u64,
        token: &str,
    ) -> Result<Listing, Status> {
        let prefix = if all_clusters { everywhere(subject) } else { subject.prefix() };
        let (at, after) = match parse_token(token)? {
            // The range of the list bounds what is read; the token only says where in it to go on.
            Some(token) => (
                ReadAt::Exact(token.rv),
                Some(store::Key::new(
                    prefix.group.clone(),
                    prefix.resource.clone(),
                    token.cluster,
                    token.namespace,
                    token.name,
                )),
            ),
            None => (at, None),
        };
        if let ReadAt::NotOlderThan(asked) = at
            && asked > self.store().revision()
        {
            return Err(Status::revision_too_large(asked, self.store().revision()));
        }
        let exact = match at {
            ReadAt::Exact(revision) => Some(revision),
            _ => None,
        };
        self.collect(subject, &prefix, selectors, exact, limit, after)
    }

    fn collect(
        &self,
        subject: &Subject,
        prefix: &Prefix,
        selectors: &Selectors,
        mut at: Option<u64>,
        limit: u64,
        mut after: Option<store::Key>,
    ) -> Result<Listing, Status> {
        let kind = &subject.kind.descriptor;
        let page_size = usize::try_from(limit).ok().filter(|&limit| limit > 0);
        let continued = after.is_some();
        let mut items = Vec::new();
        loop {
            // A selection may be sparse: looking through a stretch at a time costs less than asking
            // for the few that are still wanted, again and again.
            let least = if selectors.is_everything() { 1 } else { STRETCH };
            let wanted = page_size.map(|size| (size - items.len()).max(least));
            let options = store::ListOptions { at, limit: wanted, after: after.take() };
            let page = self.store().list(prefix, &options).map_err(|error| expired_list(&error, continued))?;
            at = Some(page.revision);
            let mut last = None;
            for entry in &page.entries {
                if page_size.is_some_and(|size| items.len() >= size) {
                    break;
                }
                last = Some(entry);
                let record = custom::record(&subject.kind, entry);
                if selectors.is_everything() || selectors.matches(kind, &entry.key.namespace, &entry.key.name, &record)
                {
                    let cluster = ClusterName::new(&entry.key.cluster).unwrap_or_else(ClusterName::root);
                    let (namespace, name) = (entry.key.namespace.to_string(), entry.key.name.to_string());
                    items.push(Listed { cluster, namespace, name, record });
                }
            }
            let full = page_size.is_some_and(|size| items.len() >= size);
            let looked_at_all = last.map(|entry| &entry.key) == page.entries.last().map(|entry| &entry.key);
            if looked_at_all && (page.next.is_none() || page_size.is_none()) {
                return Ok(Listing { items, revision: page.revision, next: None, remaining: None });
            }
            if let Some(last) = last.filter(|_| full) {
                let remaining = selectors.is_everything().then_some(page.remaining as u64);
                let next = Some(make_token(page.revision, &last.key));
                return Ok(Listing { items, revision: page.revision, next, remaining });
            }
            after = page.next;
        }
    }
}

fn everywhere(subject: &Subject) -> Prefix {
    let kind = &subject.kind.descriptor;
    let prefix = Prefix::topic(kind.storage_group.clone(), kind.plural.clone());
    if subject.namespace.is_empty() { prefix } else { prefix.in_namespace(subject.namespace.as_str()) }
}

fn expired_list(error: &store::Error, continued: bool) -> Status {
    match error {
        store::Error::Compacted { .. } if continued => Status::expired(
            "The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.",
        ),
        other => store_error(other),
    }
}

fn make_token(revision: u64, last: &store::Key) -> String {
    let token = Token {
        v: TOKEN_FORMAT.into(),
        rv: revision,
        cluster: last.cluster.to_string(),
        namespace: last.namespace.to_string(),
        name: last.name.to_string(),
    };
    BASE64.encode(serde_json::to_vec(&token).expect("a token is plain data"))
}

fn parse_token(token: &str) -> Result<Option<Token>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let invalid = || Status::bad_request("invalid continue token");
    let bytes = BASE64.decode(token).map_err(|_| invalid())?;
    let token: Token = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    if token.v == TOKEN_FORMAT && token.rv > 0 { Ok(Some(token)) } else { Err(invalid()) }
}
