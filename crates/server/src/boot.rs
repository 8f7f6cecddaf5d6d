//! Bringing a platform up and down: lock, store, API, capabilities in the order
//! of their needs, listeners; and the other way round. Start after a crash is
//! the same path as the first start.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use apiserver::{ApiServer, Parts, Settings};
use axum::body::Body;
use base::{Clock, Diagnostic, Ids, Tasks};
use capability::{Capability, Context, Endpoints, Health, Route};
use client::Objects;
use contracts::Contracts;
use contracts::auth::{Identity, TokenVerifier};
use contracts::groups::ResourceGroups;
use http::{Request, Response};
use serde_json::{Value, json};
use store::Store;
use store::engine::Sqlite;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::layout::{Layout, Lock, make_private};
use crate::listen::{self, Handler};
use crate::pki::Authority;
use crate::platform::{self, Member};
use crate::routes::Routes;
use crate::seal::FileSealer;
use crate::tokens::FileTokens;
use crate::{Config, kubeconfig};

/// How long tasks may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Chooses the one provider of cryptography for the whole process; before anything uses TLS.
pub fn choose_crypto() {
    // If it was chosen already, it is the same one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Brings platforms up.
pub struct Server;

/// A platform that is up.
pub struct Running {
    /// Its addresses.
    pub endpoints: Arc<Endpoints>,
    /// Its objects, as the administrator.
    pub objects: Arc<dyn Objects>,
    /// What its capabilities offer each other.
    pub contracts: Contracts,
    tasks: Tasks,
    store: Store,
    _lock: Lock,
}

/// What is made before any capability.
struct Ground {
    config: Config,
    layout: Layout,
    clock: Clock,
    ids: Ids,
    tasks: Tasks,
    contracts: Contracts,
    endpoints: Arc<Endpoints>,
    api: ApiServer,
}

impl Server {
    /// Brings up the platform in `layout`, which must have been created.
    pub async fn start(
        layout: Layout,
        config: Config,
        capabilities: Vec<Box<dyn Capability>>,
    ) -> Result<Running, Diagnostic> {
        let lock = layout.lock()?;
        choose_crypto();
        let (clock, ids, tasks) = (Clock::system(), Ids::system(), Tasks::default());
        let api_socket = listen::bind(SocketAddr::new(config.bind, config.api_port), "--api-port").await?;
        let web_socket = listen::bind(SocketAddr::new(config.bind, config.port), "--port").await?;
        let authority = Authority::open(&layout, &config.name)?;
        let endpoints = Arc::new(endpoints(&config, &api_socket, &web_socket, &authority));
        let tokens: Arc<dyn TokenVerifier> = Arc::new(FileTokens::open(&layout, &ids)?);
        let store = open_store(&layout, &clock, &ids)?;
        let groups = ResourceGroups::default();
        let parts = Parts {
            store: store.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            tasks: tasks.clone(),
            tokens: tokens.clone(),
            groups: groups.clone(),
            settings: Settings { disabled_admission: config.disabled_admission.clone(), ..Settings::default() },
        };
        let contracts = Contracts::default();
        contracts.offer::<dyn TokenVerifier>(tokens);
        contracts.offer(Arc::new(groups));
        let full = layout.clone();
        let up = async {
            let api = ApiServer::open(parts).await.map_err(|status| not_up(&status))?;
            let ground = Ground { config, layout, clock, ids, tasks, contracts, endpoints, api };
            ground.come_up(&authority, api_socket, web_socket, capabilities).await?;
            Ok(ground)
        };
        // Whatever failed then, a log that takes no more writes is the reason for it.
        let ground = up.await.map_err(|diagnostic| at_fault(&full, &store).unwrap_or(diagnostic))?;
        let objects = ground.api.objects(Identity::component("admin"));
        let contracts = ground.contracts;
        Ok(Running { endpoints: ground.endpoints, objects, contracts, tasks: ground.tasks, store, _lock: lock })
    }
}

impl Running {
    /// Waits for the signal to end, then ends in order.
    pub async fn wait_for_signal_and_stop(self) {
        use tokio::signal::unix::{SignalKind, signal};
        match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
            (Ok(mut terminate), Ok(mut interrupt)) => {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            }
            _ => tracing::error!("signals cannot be received; stopping"),
        }
        self.stop().await;
    }

    /// Ends every task, then closes the store.
    pub async fn stop(self) {
        if !self.tasks.stop(PATIENCE).await {
            tracing::warn!("some tasks did not end in time");
        }
        self.store.close();
    }
}

impl Ground {
    /// Serves the API, raises the capabilities, serves what they bring, and tells of it.
    async fn come_up(
        &self,
        authority: &Authority,
        api_socket: TcpListener,
        web_socket: TcpListener,
        capabilities: Vec<Box<dyn Capability>>,
    ) -> Result<(), Diagnostic> {
        let objects = self.api.objects(Identity::component("server"));
        self.serve_api(api_socket, authority)?;
        let (routes, members) = self.raise(&*objects, capabilities).await?;
        self.serve_web(web_socket, authority, routes)?;
        self.keep_reporting(objects, members).await?;
        self.write_kubeconfig(authority)
    }

    /// Serves every kind, then provisions and runs each capability in order.
    async fn raise(
        &self,
        objects: &dyn Objects,
        capabilities: Vec<Box<dyn Capability>>,
    ) -> Result<(Vec<Route>, Arc<Members>), Diagnostic> {
        platform::define(objects, api::platform::DEFINITIONS, false).await?;
        let mut refused = self.define_kinds(objects, &capabilities).await;
        let settings = platform::settings(objects, &self.config).await?;
        let changed = Arc::new(Notify::new());
        let mut routes = Vec::new();
        let mut members = Vec::new();
        let mut running = Vec::new();
        for capability in in_order(capabilities)? {
            let member = self.member(&*capability, &settings, &changed);
            if member.provider == "off" {
                member.health.degraded("Off", "Turned off in the Platform object.");
                members.push(member);
                continue;
            }
            match self.provision(&*capability, &member, refused.remove(member.descriptor.name)).await {
                Ok((served, context)) => {
                    routes.extend(served);
                    running.push((capability, context));
                }
                Err(diagnostic) => degraded(&member, &diagnostic),
            }
            members.push(member);
        }
        for (capability, context) in running {
            run(&*capability, context).await;
        }
        Ok((routes, Arc::new(Members { list: members, changed })))
    }

    /// Serves the kinds of every capability; returns what was refused, by capability.
    async fn define_kinds(
        &self,
        objects: &dyn Objects,
        capabilities: &[Box<dyn Capability>],
    ) -> BTreeMap<&'static str, Diagnostic> {
        let mut refused = BTreeMap::new();
        for descriptor in capabilities.iter().map(|capability| capability.descriptor()) {
            for manifests in descriptor.kinds {
                if let Err(diagnostic) = platform::define(objects, manifests, true).await {
                    refused.insert(descriptor.name, diagnostic);
                }
            }
        }
        refused
    }

    /// Makes a capability ready, unless its kinds were refused.
    async fn provision(
        &self,
        capability: &dyn Capability,
        member: &Member,
        refused: Option<Diagnostic>,
    ) -> Result<(Vec<Route>, Context), Diagnostic> {
        if let Some(diagnostic) = refused {
            return Err(diagnostic);
        }
        let context = self.context(member)?;
        let routes = capability.provision(context.clone()).await?;
        Ok((routes, context))
    }

    fn member(
        &self,
        capability: &dyn Capability,
        settings: &BTreeMap<String, (String, Value)>,
        changed: &Arc<Notify>,
    ) -> Member {
        let descriptor = capability.descriptor();
        let (provider, mut stated) =
            settings.get(descriptor.name).cloned().unwrap_or_else(|| ("embedded".to_owned(), Value::Null));
        if self.config.dev_password {
            if stated.is_null() {
                stated = json!({});
            }
            stated["devPassword"] = json!(true);
        }
        let changed = changed.clone();
        let health = Health::new(Arc::new(move || changed.notify_one()));
        Member { descriptor, provider, settings: Arc::new(stated), health }
    }

    fn context(&self, member: &Member) -> Result<Context, Diagnostic> {
        let name = member.descriptor.name;
        let directory = self.layout.capability(name);
        make_private(&directory).map_err(|error| {
            Diagnostic::new("unusable-directory", format!("{} cannot be made", directory.display()))
                .detail(error)
                .hint("check the owner and permissions of the platform's directory")
        })?;
        Ok(Context {
            objects: self.api.objects(Identity::component(name)),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            tasks: self.supervised(member),
            contracts: self.contracts.clone(),
            directory,
            endpoints: self.endpoints.clone(),
            settings: member.settings.clone(),
            health: member.health.clone(),
        })
    }

    /// Tasks of a member: one that panics degrades it, and it alone.
    fn supervised(&self, member: &Member) -> Tasks {
        let health = member.health.clone();
        self.tasks.child_noticed_by(move |failure| {
            let message = format!("The task {:?} ended unexpectedly: {}.", failure.task, failure.message);
            health.degraded("TaskFailed", message);
        })
    }

    fn serve_api(&self, socket: TcpListener, authority: &Authority) -> Result<(), Diagnostic> {
        let mut names: Vec<String> =
            ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"].map(String::from).to_vec();
        names.push(self.config.host.clone());
        let addresses = [self.config.bind, std::net::IpAddr::from([127, 0, 0, 1])];
        let tls = authority.tls(&authority.listener(&names, &addresses)?, true)?;
        let handler = ApiHandler(self.api.clone());
        let tasks = self.tasks.clone();
        self.tasks.spawn("api listener", listen::serve(socket, Some(tls), handler, tasks));
        Ok(())
    }

    fn serve_web(&self, socket: TcpListener, authority: &Authority, routes: Vec<Route>) -> Result<(), Diagnostic> {
        let host = &self.config.host;
        let mut names = Vec::new();
        for base in [host.as_str(), self.config.ingress_host.as_str(), "localhost"] {
            names.extend([base.to_owned(), format!("*.{base}")]);
            // Some clients take no wildcard directly below a top-level name, as `*.localhost` is.
            names.extend(routes.iter().map(|route| format!("{}.{base}", route.subdomain)));
        }
        names.sort();
        names.dedup();
        let addresses = [self.config.bind, std::net::IpAddr::from([127, 0, 0, 1])];
        let tls = match self.config.protocol.as_str() {
            "http" => None,
            _ => Some(authority.tls(&authority.listener(&names, &addresses)?, false)?),
        };
        let handler = WebHandler(Routes::new(routes, self.endpoints.clone()));
        let tasks = self.tasks.clone();
        self.tasks.spawn("web listener", listen::serve(socket, tls, handler, tasks));
        Ok(())
    }

    /// Writes the capabilities' objects now, and again whenever one's health changes.
    async fn keep_reporting(&self, objects: Arc<dyn Objects>, members: Arc<Members>) -> Result<(), Diagnostic> {
        platform::report(&*objects, &members.list, &self.clock).await.map_err(|status| not_up(&status))?;
        let clock = self.clock.clone();
        self.tasks.spawn("capability report", async move {
            loop {
                members.changed.notified().await;
                if let Err(status) = platform::report(&*objects, &members.list, &clock).await {
                    tracing::warn!(error = %status, "the capabilities' state could not be written");
                }
            }
        });
        Ok(())
    }

    fn write_kubeconfig(&self, authority: &Authority) -> Result<(), Diagnostic> {
        let pair = authority.client("coracle:admin", Identity::MASTERS)?;
        kubeconfig::write(&self.layout, &self.config, &self.endpoints.api_url, authority.certificate(), &pair)
    }
}

async fn run(capability: &dyn Capability, context: Context) {
    match capability.run(context.clone()).await {
        Ok(()) => {
            // One that has more to say of itself has said it by now.
            if context.health.condition().reason == "Starting" {
                context.health.ready();
            }
        }
        Err(diagnostic) => {
            tracing::error!(error = %diagnostic, "a capability did not start");
            context.health.degraded(&reason(&diagnostic), diagnostic.to_string());
        }
    }
}

/// Every capability of the platform, with the signal that one's health changed.
struct Members {
    list: Vec<Member>,
    changed: Arc<Notify>,
}

#[derive(Clone)]
struct ApiHandler(ApiServer);

impl Handler for ApiHandler {
    async fn handle(&self, request: Request<Body>) -> Response<Body> {
        self.0.handle(request).await
    }
}

#[derive(Clone)]
struct WebHandler(Routes);

impl Handler for WebHandler {
    async fn handle(&self, request: Request<Body>) -> Response<Body> {
        match self.0.handle(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

fn endpoints(config: &Config, api: &TcpListener, web: &TcpListener, authority: &Authority) -> Endpoints {
    // A port of 0 was chosen by the system.
    let port = |socket: &TcpListener, stated: u16| socket.local_addr().map_or(stated, |address| address.port());
    let api_host = if config.bind.is_unspecified() { "127.0.0.1".to_owned() } else { config.bind.to_string() };
    Endpoints {
        name: config.name.clone(),
        protocol: config.protocol.clone(),
        host: config.host.clone(),
        port: port(web, config.port),
        path_routing: config.path_routing,
        api_url: format!("https://{api_host}:{}", port(api, config.api_port)),
        ca_pem: authority.certificate().to_owned(),
    }
}

fn open_store(layout: &Layout, clock: &Clock, ids: &Ids) -> Result<Store, Diagnostic> {
    let mut options = store::Options::new(clock.clone());
    options.sealer = Some(Arc::new(FileSealer::open(layout, ids)?));
    options.seals = Arc::new(|group, resource| group.is_empty() && resource == "secrets");
    options.volatile =
        Arc::new(|group, resource| matches!((group, resource), ("", "events") | ("coordination.k8s.io", "leases")));
    let engine = Sqlite::open(layout.store()).map_err(|error| store_failed(layout, &error))?;
    Store::open(Box::new(engine), options).map_err(|error| store_failed(layout, &error))
}

fn store_failed(layout: &Layout, error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::new("store-unusable", format!("{} cannot be opened", layout.store().display()))
        .detail(error)
        .hint("free disk space if it is full; otherwise restore the platform from a backup")
}

/// What is wrong with a store that takes no more writes.
fn at_fault(layout: &Layout, store: &Store) -> Option<Diagnostic> {
    let reason = store.stats().read_only?;
    if reason.contains("no space") {
        let title = format!("no space is left for {}", layout.root().display());
        return Some(Diagnostic::new("disk-full", title).hint("free some space, then start the platform again"));
    }
    Some(store_failed(layout, &reason))
}

fn not_up(error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::new("broken-platform", "the platform cannot be brought up")
        .detail(error)
        .hint("look into the server's log with `coracle logs`")
}

fn degraded(member: &Member, diagnostic: &Diagnostic) {
    tracing::error!(capability = member.descriptor.name, error = %diagnostic, "a capability cannot be provisioned");
    member.health.degraded(&reason(diagnostic), diagnostic.to_string());
}

/// A diagnostic's code as a condition's reason: `port-in-use` becomes `PortInUse`.
fn reason(diagnostic: &Diagnostic) -> String {
    diagnostic
        .code
        .split('-')
        .map(|word| {
            word.chars()
                .enumerate()
                .map(|(at, letter)| if at == 0 { letter.to_ascii_uppercase() } else { letter })
                .collect::<String>()
        })
        .collect()
}

/// Capabilities with what they need before them.
fn in_order(capabilities: Vec<Box<dyn Capability>>) -> Result<Vec<Box<dyn Capability>>, Diagnostic> {
    let mut waiting = capabilities;
    let mut ordered: Vec<Box<dyn Capability>> = Vec::new();
    while !waiting.is_empty() {
        let there = |name: &str| ordered.iter().any(|capability| capability.descriptor().name == name);
        let next = waiting.iter().position(|capability| capability.descriptor().needs.iter().all(|need| there(need)));
        let Some(next) = next else {
            let names: Vec<&str> = waiting.iter().map(|capability| capability.descriptor().name).collect();
            return Err(not_up(&format!(
                "capabilities wait for each other or for one that is not there: {}",
                names.join(", ")
            )));
        };
        ordered.push(waiting.remove(next));
    }
    Ok(ordered)
}
