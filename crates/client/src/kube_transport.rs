//! Objects of a real cluster, over `kube::Client`: plain HTTP requests, so that
//! JSON stays as it came. It must never interpret what a kind means, nor read
//! kubeconfig files; callers bring the client.

mod discovery;
mod request;
#[cfg(test)]
mod tests;
mod wire;

use std::path::Path;
use std::sync::Arc;

use api::kind::Verbs;
use api::{ClusterName, Gvk, KindDescriptor, Status};
use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use futures::{Stream, StreamExt, TryStreamExt};
use http::{Request, Response};
use http_body_util::BodyExt;
use kube::client::Body;

use crate::objects::Events;
use crate::{
    DeleteOptions, Event, List, ListOptions, Object, Objects, Patch, Result, Target, WatchOptions, WriteOptions,
};
use discovery::Discovery;
use request::{Address, Parameters};
use wire::Lines;

/// Most bytes of a response that is read whole.
const RESPONSE_BYTES: usize = 256 * 1024 * 1024;

/// Why a kubeconfig leads nowhere.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct UnusableKubeconfig(String);

/// Objects of a real cluster. Cheap to clone.
#[derive(Clone)]
pub struct KubeObjects {
    client: kube::Client,
    home: ClusterName,
    discovery: Arc<Discovery>,
}

impl KubeObjects {
    /// The objects that `client` reaches. Plain paths mean the cluster `home`; any other name is
    /// asked for below `/clusters/<name>`, which only a server of logical clusters answers.
    pub fn new(client: kube::Client, home: ClusterName) -> Self {
        KubeObjects { client, home, discovery: Arc::default() }
    }

    /// The objects that the current context of a kubeconfig file leads to.
    pub async fn from_kubeconfig(path: &Path, home: ClusterName) -> std::result::Result<Self, UnusableKubeconfig> {
        let file =
            kube::config::Kubeconfig::read_from(path).map_err(|error| UnusableKubeconfig(with_causes(&error)))?;
        let options = kube::config::KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(file, &options).await;
        let mut config = config.map_err(|error| UnusableKubeconfig(with_causes(&error)))?;
        // Refusals for now (429) go to the caller, who knows whether to come again, as in process.
        config.default_retry = false;
        let client = kube::Client::try_from(config).map_err(|error| UnusableKubeconfig(with_causes(&error)))?;
        Ok(Self::new(client, home))
    }

    fn address(&self, target: &Target) -> Result<Address> {
        Address::of(&self.home, target)
    }

    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Body>> {
        let answer = self.client.send(request.map(Body::from)).await;
        let response = answer.map_err(|error| Status::unavailable(with_causes(&error)))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let retry_after = response.headers().get(http::header::RETRY_AFTER).cloned();
        let code = response.status().as_u16();
        let body = read(response).await?;
        let mut status = wire::status(code, &body);
        if let Some(secs) = retry_after.and_then(|header| header.to_str().ok()?.parse().ok())
            && status.retry_after_secs == 0
        {
            status.retry_after_secs = secs;
        }
        Err(status)
    }

    async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Bytes> {
        read(self.send(request).await?).await
    }

    async fn object(&self, address: &Address, request: Request<Vec<u8>>) -> Result<Object> {
        Object::from_json(address.cluster.clone(), self.fetch(request).await?)
    }
}

/// Reads a whole body, within a bound.
async fn read(response: Response<Body>) -> Result<Bytes> {
    let mut stream = response.into_body().into_data_stream();
    let mut whole = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        whole.extend_from_slice(&chunk.map_err(|error| Status::unavailable(with_causes(&error)))?);
        if whole.len() > RESPONSE_BYTES {
            return Err(Status::too_large(RESPONSE_BYTES));
        }
    }
    Ok(whole.freeze())
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// The events of a watch's body, one JSON line each; ends after the first error.
fn events(cluster: ClusterName, body: Body) -> impl Stream<Item = Result<Event>> {
    let chunks = body.into_data_stream().map_err(|error| Status::unavailable(with_causes(&error)));
    let state = Some((chunks.boxed(), Lines::default(), cluster));
    futures::stream::unfold(state, |state| async move {
        let (mut chunks, mut lines, cluster) = state?;
        loop {
            match lines.next() {
                Ok(Some(line)) => match wire::event(&cluster, &line) {
                    Ok(event) => return Some((Ok(event), Some((chunks, lines, cluster)))),
                    Err(status) => return Some((Err(status), None)),
                },
                Ok(None) => {}
                Err(status) => return Some((Err(status), None)),
            }
            match chunks.next().await? {
                Ok(chunk) => lines.push(&chunk),
                Err(status) => return Some((Err(status), None)),
            }
        }
    })
}

impl Objects for KubeObjects {
    fn get<'a>(&'a self, target: &'a Target, name: &'a str) -> BoxFuture<'a, Result<Object>> {
        Box::pin(async move {
            let address = self.address(target)?;
            let request = address.get(Some(name), &Parameters::default())?;
            self.object(&address, request).await
        })
    }

    fn list<'a>(&'a self, target: &'a Target, options: ListOptions) -> BoxFuture<'a, Result<List>> {
        Box::pin(async move {
            let address = Address::to_read(&self.home, target)?;
            let body = self.fetch(address.get(None, &Parameters::list(&options))?).await?;
            wire::list(&address.cluster, &body)
        })
    }

    fn watch<'a>(&'a self, target: &'a Target, options: WatchOptions) -> BoxFuture<'a, Result<Events>> {
        Box::pin(async move {
            let address = Address::to_read(&self.home, target)?;
            let response = self.send(address.get(None, &Parameters::watch(&options))?).await?;
            Ok(events(address.cluster, response.into_body()).boxed())
        })
    }

    fn create<'a>(&'a self, target: &'a Target, body: Bytes, options: WriteOptions) -> BoxFuture<'a, Result<Object>> {
        Box::pin(async move {
            let address = self.address(target)?;
            let request = address.post(&Parameters::write(&options), body)?;
            self.object(&address, request).await
        })
    }

    fn create_subresource<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        subresource: &'a str,
        body: Bytes,
        options: WriteOptions,
    ) -> BoxFuture<'a, Result<Bytes>> {
        Box::pin(async move {
            let address = self.address(target)?;
            self.fetch(address.post_to(name, subresource, &Parameters::write(&options), body)?).await
        })
    }

    fn update<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        subresource: Option<&'a str>,
        body: Bytes,
        options: WriteOptions,
    ) -> BoxFuture<'a, Result<Object>> {
        Box::pin(async move {
            let address = self.address(target)?;
            let request = address.put(name, subresource, &Parameters::write(&options), body)?;
            self.object(&address, request).await
        })
    }

    fn patch<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        subresource: Option<&'a str>,
        patch: Patch,
        options: WriteOptions,
    ) -> BoxFuture<'a, Result<Object>> {
        Box::pin(async move {
            let address = self.address(target)?;
            let request = address.patch(name, subresource, &Parameters::patch(&options, &patch), patch)?;
            self.object(&address, request).await
        })
    }

    fn delete<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        options: DeleteOptions,
    ) -> BoxFuture<'a, Result<Option<Object>>> {
        Box::pin(async move {
            let address = self.address(target)?;
            let body = self.fetch(address.delete(name, &options)?).await?;
            wire::deleted(&address.cluster, body)
        })
    }

    fn get_raw<'a>(&'a self, cluster: &'a ClusterName, path: &'a str) -> BoxFuture<'a, Result<Bytes>> {
        Box::pin(async move { self.fetch(request::plain(&self.home, cluster, path, "application/json")?).await })
    }

    fn kind<'a>(&'a self, cluster: &'a ClusterName, gvk: &'a Gvk) -> BoxFuture<'a, Result<Option<KindDescriptor>>> {
        Box::pin(async move {
            let find = |kinds: &[KindDescriptor]| kinds.iter().find(|kind| kind.gvk == *gvk).cloned();
            if let Some(kind) = find(&self.discovery.kinds(self, cluster).await?) {
                return Ok(Some(kind));
            }
            Ok(find(&self.discovery.newer_kinds(self, cluster).await?))
        })
    }

    fn kinds<'a>(&'a self, cluster: &'a ClusterName) -> BoxFuture<'a, Result<Vec<KindDescriptor>>> {
        Box::pin(async move { Ok(discovery::preferred(&self.discovery.newer_kinds(self, cluster).await?)) })
    }
}

/// Whether objects of the kind can be listed and deleted, as far as discovery says.
fn verbs(listed: &[String]) -> Verbs {
    let can = |verb: &str| listed.iter().any(|held| held == verb);
    if can("list") && can("delete") { Verbs::All } else { Verbs::Create }
}
