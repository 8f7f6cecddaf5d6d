//! Capabilities as the server hosts them: raised in the order of their needs,
//! served by host and by path, and degraded alone when they fail.

use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result, ensure};
use api::ClusterName;
use axum::Router;
use axum::routing::get;
use base::Diagnostic;
use capability::{Capability, Context, Descriptor, Plane, Route};
use client::Target;
use futures::FutureExt;
use futures::future::BoxFuture;
use testkit::{Kubectl, Platform};

type Notes = Arc<Mutex<Vec<String>>>;

/// A capability that notes when it is raised, and may fail.
struct Noting {
    name: &'static str,
    needs: &'static [&'static str],
    kinds: &'static [&'static str],
    fails: bool,
    notes: Notes,
}

impl Noting {
    fn note(&self, what: &str) {
        self.notes.lock().expect("nobody panics with the lock").push(format!("{what} {}", self.name));
    }
}

impl Capability for Noting {
    fn descriptor(&self) -> Descriptor {
        Descriptor {
            name: self.name,
            plane: Plane::Resource,
            summary: "Notes.",
            speaks: "nothing",
            kinds: self.kinds,
            needs: self.needs,
            animates: &["example.com/Thing"],
            providers: &["embedded", "off"],
        }
    }

    fn provision(&self, _ctx: Context) -> BoxFuture<'_, Result<Vec<Route>, Diagnostic>> {
        self.note("provision");
        let name = self.name;
        let router = Router::new().route("/hello", get(move || async move { format!("hello from {name}") }));
        let routes =
            vec![Route { subdomain: name, prefix: if name == "first" { "/first" } else { "/second" }, router }];
        let outcome = if self.fails { Err(Diagnostic::new("no-luck", "it never works")) } else { Ok(routes) };
        async move { outcome }.boxed()
    }

    fn run(&self, ctx: Context) -> BoxFuture<'_, Result<(), Diagnostic>> {
        self.note("run");
        if self.name == "unlucky" {
            ctx.tasks.spawn("doomed", async { panic!("on purpose") });
        }
        async { Ok(()) }.boxed()
    }
}

fn pair(fails: bool) -> (Vec<Box<dyn Capability>>, Notes) {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let make = |name, needs, fails| -> Box<dyn Capability> {
        Box::new(Noting { name, needs, kinds: &[], fails, notes: notes.clone() })
    };
    let list: Vec<Box<dyn Capability>> = vec![make("second", &["first"], false), make("first", &[], fails)];
    (list, notes)
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_raised_in_the_order_of_their_needs() -> Result<()> {
    let (list, notes) = pair(false);
    let platform = Platform::start(list).await?;
    let notes = notes.lock().expect("nobody panics with the lock").clone();
    ensure!(notes == ["provision first", "provision second", "run first", "run second"], "{notes:?}");
    let kubectl = Kubectl::new(&platform)?;
    let table = kubectl.ok(&["get", "capabilities"]).await?;
    ensure!(table.matches("True").count() == 2 && table.contains("embedded"), "{table}");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_is_named_and_alone() -> Result<()> {
    let (list, notes) = pair(true);
    let platform = Platform::start(list).await?;
    let target = Target::cluster(&ClusterName::root(), &api::platform::capabilities());
    let failed = platform.objects.get(&target, "first").await?.value()?;
    let condition = &failed["status"]["conditions"][0];
    ensure!(condition["status"] == "False" && condition["reason"] == "NoLuck", "{condition}");
    ensure!(condition["message"] == "it never works", "{condition}");
    let well = platform.objects.get(&target, "second").await?.value()?;
    ensure!(well["status"]["conditions"][0]["status"] == "True", "{well}");
    ensure!(!notes.lock().expect("nobody panics with the lock").contains(&"run first".to_owned()));
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_kinds_are_refused_does_not_stop_the_rest() -> Result<()> {
    let notes = Notes::new(Mutex::default());
    let broken = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x.y.dev}\nspec: {group: y.dev}\n";
    let kinds: &'static [&'static str] = Box::leak(Box::new([broken]));
    let make = |name, kinds| -> Box<dyn Capability> {
        Box::new(Noting { name, needs: &[], kinds, fails: false, notes: notes.clone() })
    };
    let platform = Platform::start(vec![make("first", kinds), make("second", &[])]).await?;
    let target = Target::cluster(&ClusterName::root(), &api::platform::capabilities());
    let ready = async |name: &str| -> Result<String> {
        let found = platform.objects.get(&target, name).await?.value()?;
        Ok(found["status"]["conditions"][0]["status"].as_str().unwrap_or_default().to_owned())
    };
    ensure!(ready("first").await? == "False" && ready("second").await? == "True");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_task_panics_is_degraded() -> Result<()> {
    let notes = Notes::new(Mutex::default());
    let unlucky = Noting { name: "unlucky", needs: &[], kinds: &[], fails: false, notes };
    let platform = Platform::start(vec![Box::new(unlucky)]).await?;
    let kubectl = Kubectl::new(&platform)?;
    let degraded = r#"--for=jsonpath={.status.conditions[0].reason}=TaskFailed"#;
    kubectl.ok(&["wait", "capability", "unlucky", degraded, "--timeout=10s"]).await?;
    let described = kubectl.ok(&["describe", "capability", "unlucky"]).await?;
    ensure!(described.contains("doomed") && described.contains("on purpose"), "{described}");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_reached_by_path_and_by_host() -> Result<()> {
    let (list, _) = pair(false);
    let platform = Platform::start(list).await?;
    let ca = platform.layout().pki().join("ca.crt");
    let port = platform.endpoints.port;
    let fetch = |url: String| {
        let mut command = tokio::process::Command::new("curl");
        command.args(["-s", "--cacert"]).arg(&ca).args(["--resolve", &format!("second.localhost:{port}:127.0.0.1")]);
        command.arg(url);
        async move {
            let output = command.output().await.context("curl is needed")?;
            Ok::<_, anyhow::Error>(String::from_utf8_lossy(&output.stdout).into_owned())
        }
    };
    ensure!(fetch(format!("https://localhost:{port}/first/hello")).await? == "hello from first");
    ensure!(fetch(format!("https://second.localhost:{port}/hello")).await? == "hello from second");
    ensure!(fetch(format!("https://localhost:{port}/firsthello")).await?.contains("nothing is served here"));
    let landing = fetch(format!("https://localhost:{port}/")).await?;
    ensure!(landing.contains("/second") && landing.contains("kubernetes"), "{landing}");
    platform.stop().await;
    Ok(())
}
