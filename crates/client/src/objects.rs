//! The one interface to objects. The in-process transport runs the API server's
//! whole pipeline, so nobody has a private door; the other talks to a real
//! cluster. Both answer the same for the same call.

use api::{ClusterName, Gvk, KindDescriptor};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::{DeleteOptions, Event, List, ListOptions, Object, Patch, Result, Target, WatchOptions, WriteOptions};

/// A stream of watch events; ends with an error or when the server ends the watch.
pub type Events = BoxStream<'static, Result<Event>>;

/// Reads and writes objects.
pub trait Objects: Send + Sync + 'static {
    /// One object.
    fn get<'a>(&'a self, target: &'a Target, name: &'a str) -> BoxFuture<'a, Result<Object>>;

    /// Objects at one revision.
    fn list<'a>(&'a self, target: &'a Target, options: ListOptions) -> BoxFuture<'a, Result<List>>;

    /// Changes from a revision on.
    fn watch<'a>(&'a self, target: &'a Target, options: WatchOptions) -> BoxFuture<'a, Result<Events>>;

    /// Creates an object.
    fn create<'a>(&'a self, target: &'a Target, body: Bytes, options: WriteOptions) -> BoxFuture<'a, Result<Object>>;

    /// Posts to a subresource of an object that acts (`binding`, `eviction`, `token`). Answers the
    /// JSON that the server does: an object, or a `Status` of success.
    fn create_subresource<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        subresource: &'a str,
        body: Bytes,
        options: WriteOptions,
    ) -> BoxFuture<'a, Result<Bytes>>;

    /// Replaces an object, or its subresource (`status`, `scale`).
    fn update<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        subresource: Option<&'a str>,
        body: Bytes,
        options: WriteOptions,
    ) -> BoxFuture<'a, Result<Object>>;

    /// Changes an object, or its subresource.
    fn patch<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        subresource: Option<&'a str>,
        patch: Patch,
        options: WriteOptions,
    ) -> BoxFuture<'a, Result<Object>>;

    /// Deletes an object. `Some` if it still exists, waiting for its finalizers.
    fn delete<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        options: DeleteOptions,
    ) -> BoxFuture<'a, Result<Option<Object>>>;

    /// What a GET of a path of a cluster answers, for what has no kind that can be stored, such as
    /// metrics. The path begins with a slash and is encoded; it must not be that of a watch, which
    /// has no end.
    fn get_raw<'a>(&'a self, cluster: &'a ClusterName, path: &'a str) -> BoxFuture<'a, Result<Bytes>>;

    /// How a kind is served in a cluster; `None` if it is not.
    fn kind<'a>(&'a self, cluster: &'a ClusterName, gvk: &'a Gvk) -> BoxFuture<'a, Result<Option<KindDescriptor>>>;

    /// Every kind that a cluster serves, preferred versions only.
    fn kinds<'a>(&'a self, cluster: &'a ClusterName) -> BoxFuture<'a, Result<Vec<KindDescriptor>>>;
}
