//! Push-to-url, stop 1: receive. The HTTP side of git's own protocol: who may,
//! which repository, which process; and once a push is on disk, its announcement
//! before the client hears of it. What the bytes mean is git's business.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, EXPIRES, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::embedded::bare::Bare;
use crate::embedded::exchange::{self, Afterwards, Exchange, Patience, WhenClientLeaves};
use crate::embedded::gunzip::Decoder;
use crate::embedded::sources::blocking;
use crate::embedded::{durable, tidy};
use crate::forge::Forge;
use crate::names;
use crate::program::Running;
use crate::users::{Caller, Presented, Wish};

/// What a client may send to ask for objects: names of what it wants and has.
const UPLOAD_REQUEST_BYTES: u64 = 64 << 20;
/// Longest `Git-Protocol` header that is passed on.
const PROTOCOL_BYTES: usize = 64;

/// The two services of git's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    /// Clone and fetch.
    UploadPack,
    /// Push.
    ReceivePack,
}

impl Service {
    fn named(name: &str) -> Option<Self> {
        match name {
            "git-upload-pack" => Some(Service::UploadPack),
            "git-receive-pack" => Some(Service::ReceivePack),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Service::UploadPack => "git-upload-pack",
            Service::ReceivePack => "git-receive-pack",
        }
    }

    fn wish(self) -> Wish {
        match self {
            Service::UploadPack => Wish::Read,
            Service::ReceivePack => Wish::Write,
        }
    }
}

/// The routes of git's protocol.
pub fn router(forge: Arc<Forge>) -> Router {
    Router::new()
        .route("/{owner}/{repository}/info/refs", get(info_refs))
        .route("/{owner}/{repository}/git-upload-pack", post(upload_pack))
        .route("/{owner}/{repository}/git-receive-pack", post(receive_pack))
        .route("/{owner}/{repository}/HEAD", get(dumb))
        .route("/{owner}/{repository}/objects/{*path}", get(dumb))
        .with_state(forge)
}

type Names = Path<(String, String)>;

async fn info_refs(
    State(forge): State<Arc<Forge>>,
    Path((owner, name)): Names,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let asked = query.as_deref().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("service=")));
    let Some(service) = asked.and_then(Service::named) else { return dumb().await };
    let (bare, _) = match admit(&forge, &owner, &name, service, &headers).await {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let Some(turn) = forge.turn().await else { return busy() };
    let protocol = protocol(&headers);
    let mut command = command(&forge, &bare, service, &protocol);
    command.args(["--http-backend-info-refs", "."]);
    let Ok(running) = Running::start(&mut command) else { return broken() };
    let Some(decoder) = Decoder::new("", 0) else { return broken() };
    let exchange = Exchange {
        running,
        request: Body::empty().into_data_stream(),
        decoder,
        patience: patience(&forge),
        when_client_leaves: WhenClientLeaves::End,
    };
    let (answer, work) = exchange.begin(Box::new(move |_| {
        drop(turn);
        Box::pin(std::future::ready(()))
    }));
    forge.tasks.spawn(format!("{} refs {owner}/{name}", service.name()), work);
    // Version 2 of the protocol, which only fetches know, opens with its capabilities instead.
    let is_v2 = service == Service::UploadPack && protocol.split(':').any(|part| part == "version=2");
    let opening = if is_v2 { String::new() } else { opening(service) };
    let body = exchange::body(answer);
    let body = Body::from_stream(futures::StreamExt::chain(
        futures::stream::iter((!opening.is_empty()).then(|| Ok(opening.into()))),
        body.into_data_stream(),
    ));
    respond(format!("application/x-{}-advertisement", service.name()), body)
}

fn opening(service: Service) -> String {
    let line = format!("# service={}\n", service.name());
    format!("{:04x}{line}0000", line.len() + 4)
}

async fn upload_pack(
    State(forge): State<Arc<Forge>>,
    Path((owner, name)): Names,
    headers: HeaderMap,
    body: Body,
) -> Response {
    serve(forge, &owner, &name, Service::UploadPack, headers, body).await
}

async fn receive_pack(
    State(forge): State<Arc<Forge>>,
    Path((owner, name)): Names,
    headers: HeaderMap,
    body: Body,
) -> Response {
    serve(forge, &owner, &name, Service::ReceivePack, headers, body).await
}

async fn serve(
    forge: Arc<Forge>,
    owner: &str,
    name: &str,
    service: Service,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (bare, caller) = match admit(&forge, owner, name, service, &headers).await {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let expected = format!("application/x-{}-request", service.name());
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if text(CONTENT_TYPE) != expected {
        return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "this is for git clients only");
    }
    let limit_bytes = match service {
        Service::UploadPack => UPLOAD_REQUEST_BYTES,
        // Beyond git's own limit, so that git is who says so, in words that the client shows.
        Service::ReceivePack => forge.settings.max_push_bytes.saturating_mul(2) + UPLOAD_REQUEST_BYTES,
    };
    let Some(decoder) = Decoder::new(text(CONTENT_ENCODING), limit_bytes) else {
        return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "this content encoding is not known");
    };
    let Some(turn) = forge.turn().await else { return busy() };
    let mut command = command(&forge, &bare, service, &protocol(&headers));
    command.arg(".").stdin(std::process::Stdio::piped());
    let Ok(running) = Running::start(&mut command) else { return broken() };
    let when_client_leaves = match service {
        Service::UploadPack => WhenClientLeaves::End,
        Service::ReceivePack => WhenClientLeaves::Finish,
    };
    let request = body.into_data_stream();
    let exchange = Exchange { running, request, decoder, patience: patience(&forge), when_client_leaves };
    let actor = caller.map(|caller| caller.login).unwrap_or_default();
    let afterwards: Afterwards = match service {
        Service::UploadPack => Box::new(move |_| {
            drop(turn);
            Box::pin(std::future::ready(()))
        }),
        Service::ReceivePack => {
            let (forge, bare) = (forge.clone(), bare.clone());
            Box::new(move |_| {
                Box::pin(async move {
                    received(&forge, &bare, actor).await;
                    drop(turn);
                })
            })
        }
    };
    let (answer, work) = exchange.begin(afterwards);
    forge.tasks.spawn(format!("{} {owner}/{name}", service.name()), work);
    respond(format!("application/x-{}-result", service.name()), exchange::body(answer))
}

/// After a push: what git renamed into place is flushed by name too, then announced.
async fn received(forge: &Arc<Forge>, bare: &Arc<Bare>, actor: String) {
    let (store, pushed) = (forge.embedded.store.clone(), bare.clone());
    let announced = blocking(move || {
        let changes = store.announce(&pushed, &actor)?;
        let mut directories = std::collections::BTreeSet::new();
        for change in &changes {
            let path = pushed.path.join(&change.reference);
            directories
                .extend(path.ancestors().skip(1).take_while(|path| path.starts_with(&pushed.path)).map(Into::into));
        }
        if !changes.is_empty() {
            directories.extend([pushed.path.join("objects"), pushed.path.join("objects/pack")]);
        }
        directories.retain(|directory: &std::path::PathBuf| directory.is_dir());
        durable::sync_directories(&directories).map_err(|error| pushed.internal(&error))
    })
    .await;
    if let Err(error) = announced {
        tracing::error!(%error, "a push cannot be announced");
    }
    forge.tasks.spawn("git housekeeping", tidy::if_needed(bare.clone(), forge.program.clone()));
}

/// The repository, if the caller may have this service of it.
async fn admit(
    forge: &Forge,
    owner: &str,
    name: &str,
    service: Service,
    headers: &HeaderMap,
) -> Result<(Arc<Bare>, Option<Caller>), Box<Response>> {
    let caller = match forge.authenticate(headers).await {
        Presented::Nobody => None,
        Presented::Caller(caller) => Some(caller),
        Presented::Wrong => return Err(Box::new(unauthorized())),
    };
    let missing = || plain(StatusCode::NOT_FOUND, "repository not found");
    let Ok(id) = names::parse_repository(owner, name) else { return Err(Box::new(missing())) };
    // Nobody learns from the answer whether a repository that they may not read exists.
    match forge.embedded.store.get(&id) {
        Some(bare) if forge.allows(caller.as_ref(), &bare, service.wish()) => Ok((bare, caller)),
        _ if caller.is_none() => Err(Box::new(unauthorized())),
        Some(bare) if forge.allows(caller.as_ref(), &bare, Wish::Read) => {
            Err(Box::new(plain(StatusCode::FORBIDDEN, "you may not push to this repository")))
        }
        _ => Err(Box::new(missing())),
    }
}

fn command(forge: &Forge, bare: &Bare, service: Service, protocol: &str) -> tokio::process::Command {
    let max_input = forge.settings.max_push_bytes.to_string();
    let config = [
        ("http.receivepack", "true"),
        ("receive.maxInputSize", max_input.as_str()),
        ("receive.autogc", "false"),
        ("receive.updateServerInfo", "false"),
        ("receive.advertisePushOptions", "false"),
        ("receive.keepAlive", "5"),
        ("uploadpack.allowFilter", "true"),
        ("uploadpack.allowAnySHA1InWant", "true"),
        ("uploadpack.keepAlive", "5"),
    ];
    let mut command = forge.program.command(&bare.path, &config);
    let verb = service.name().trim_start_matches("git-");
    command.arg(verb).arg("--stateless-rpc");
    if service == Service::UploadPack {
        command.arg("--strict");
    }
    if !protocol.is_empty() {
        command.env("GIT_PROTOCOL", protocol);
    }
    command
}

fn protocol(headers: &HeaderMap) -> String {
    let text = headers.get("git-protocol").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'=' | b':' | b'.' | b'-' | b'_');
    if text.len() <= PROTOCOL_BYTES && text.bytes().all(known) { text.to_owned() } else { String::new() }
}

fn patience(forge: &Forge) -> Patience {
    Patience {
        idle: Duration::from_secs(forge.settings.idle_timeout_secs),
        total: Duration::from_secs(forge.settings.operation_timeout_secs),
    }
}

fn respond(content_type: String, body: Body) -> Response {
    let headers = [
        (CONTENT_TYPE, content_type),
        (EXPIRES, "Fri, 01 Jan 1980 00:00:00 GMT".into()),
        (PRAGMA, "no-cache".into()),
        (CACHE_CONTROL, "no-cache, max-age=0, must-revalidate".into()),
    ];
    (StatusCode::OK, headers, body).into_response()
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{text}\n")).into_response()
}

/// Asks for credentials in the words Gitea uses, which tools match on.
pub fn unauthorized() -> Response {
    let mut response = plain(StatusCode::UNAUTHORIZED, "authentication required");
    response.headers_mut().insert(WWW_AUTHENTICATE, axum::http::HeaderValue::from_static("Basic realm=\"Gitea\""));
    response
}

fn busy() -> Response {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "too many clones and pushes are running");
    response.headers_mut().insert(RETRY_AFTER, axum::http::HeaderValue::from_static("5"));
    response
}

fn broken() -> Response {
    plain(StatusCode::INTERNAL_SERVER_ERROR, "git cannot be run")
}

async fn dumb() -> Response {
    plain(StatusCode::FORBIDDEN, "only git's smart protocol is served; use git 1.6.6 or newer")
}
