//! A capability serves a group that it answers itself: through discovery, by kubectl, over both
//! transports, and only for those who may.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use api::{ClusterName, Status};
use client::Objects;
use client::kube_transport::KubeObjects;
use contracts::groups::{GroupResource, Question, ResourceGroup, ResourceGroups};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use testkit::{Kubectl, Platform};

use super::wire::Wire;

/// Weather: of nodes as a resource, of pods as a subresource that bears any name.
struct Weather;

impl ResourceGroup for Weather {
    fn group(&self) -> &str {
        "weather.example.dev"
    }

    fn version(&self) -> &str {
        "v1beta1"
    }

    fn resources(&self, _cluster: &ClusterName) -> Vec<GroupResource> {
        let nodes = GroupResource {
            name: "forecasts".into(),
            singular: "forecast".into(),
            kind: "Forecast".into(),
            short_names: vec!["fc".into()],
            namespaced: true,
            verbs: vec!["get".into(), "list".into()],
        };
        let kind = "Reading".to_owned();
        let verbs = vec!["get".to_owned()];
        let pods =
            GroupResource { name: "pods/rain".into(), kind, namespaced: true, verbs, ..GroupResource::default() };
        vec![nodes, pods]
    }

    fn answer<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<Value, Status>> {
        let forecast = |name: &str, namespace: &str| {
            let version = "weather.example.dev/v1beta1";
            json!({"apiVersion": version, "kind": "Forecast", "metadata": {"name": name, "namespace": namespace}})
        };
        Box::pin(async move {
            let namespace = question.namespace.as_deref().unwrap_or_default();
            match (&*question.resource, question.name.as_deref(), question.subresource.as_deref()) {
                ("forecasts", Some(name @ "today"), None) => Ok(forecast(name, namespace)),
                ("forecasts", None, None) => Ok(json!({
                    "apiVersion": "weather.example.dev/v1beta1",
                    "kind": "ForecastList",
                    "metadata": {"selfLink": format!("{}|{namespace}|{}", question.cluster, question.parameter("labelSelector"))},
                    "items": [forecast("today", "default")],
                })),
                ("pods", Some("*"), Some(metric)) => Ok(json!({"kind": "Reading", "metric": metric})),
                _ => Err(Status::no_such_resource()),
            }
        })
    }
}

const FORECASTS: &str = "/apis/weather.example.dev/v1beta1/namespaces/default/forecasts";
const TODAY: &str = "/apis/weather.example.dev/v1beta1/namespaces/default/forecasts/today";
const RAIN: &str = "/apis/weather.example.dev/v1beta1/namespaces/default/pods/*/rain";

async fn platform() -> Result<(Platform, ResourceGroups)> {
    let platform = Platform::start(Vec::new()).await?;
    let groups = platform.contracts.get::<ResourceGroups>().context("the server offers no groups")?;
    Ok((platform, (*groups).clone()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_comes_and_goes() -> Result<()> {
    let (platform, groups) = platform().await?;
    let wire = Wire::to(&platform).await?;
    ensure!(wire.get(FORECASTS).await?.0 == 404 && wire.get("/apis/weather.example.dev").await?.0 == 404);
    groups.serve(Arc::new(Weather));
    let (_, listed) = wire.get("/apis").await?;
    let entry = listed["groups"].as_array().into_iter().flatten().find(|group| group["name"] == "weather.example.dev");
    let preferred = json!({"groupVersion": "weather.example.dev/v1beta1", "version": "v1beta1"});
    ensure!(entry.is_some_and(|entry| entry["preferredVersion"] == preferred), "{listed}");
    let (_, group) = wire.get("/apis/weather.example.dev").await?;
    ensure!(group["kind"] == "APIGroup" && group["versions"] == json!([preferred]), "{group}");
    let (_, resources) = wire.get("/apis/weather.example.dev/v1beta1").await?;
    ensure!(resources["kind"] == "APIResourceList" && resources["resources"][0]["name"] == "forecasts", "{resources}");
    ensure!(resources["resources"][1]["name"] == "pods/rain", "{resources}");
    let (_, root) = wire.get("/").await?;
    let paths = root["paths"].as_array().cloned().unwrap_or_default();
    ensure!(paths.contains(&json!("/apis/weather.example.dev/v1beta1")), "{root}");

    let (code, list) = wire.get(&format!("{FORECASTS}?labelSelector=a%3Db&limit=500")).await?;
    ensure!(code == 200 && list["metadata"]["selfLink"] == "root|default|a=b", "{code} {list}");
    let (_, list) = wire.get("/apis/weather.example.dev/v1beta1/forecasts").await?;
    ensure!(list["metadata"]["selfLink"] == "root||", "{list}");
    ensure!(wire.get(TODAY).await?.1["metadata"]["name"] == "today");
    ensure!(wire.get(RAIN).await?.1["metric"] == "rain");
    ensure!(wire.get(&format!("{FORECASTS}/never")).await?.0 == 404);
    for (method, path) in [("POST", FORECASTS), ("DELETE", TODAY), ("PUT", TODAY)] {
        let (code, status) = wire.send(method, path, "application/json", "{}").await?;
        ensure!(code == 405 && status["kind"] == "Status", "{method}: {code} {status}");
    }
    ensure!(wire.get(&format!("{FORECASTS}?watch=1")).await?.0 == 405, "nothing is stored, so nothing is watched");
    groups.withdraw("weather.example.dev", "v1beta1");
    ensure!(wire.get(TODAY).await?.0 == 404 && wire.get("/apis/weather.example.dev/v1beta1").await?.0 == 404);
    let (_, listed) = wire.get("/apis").await?;
    ensure!(!listed.to_string().contains("weather"), "{listed}");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_read_over_both_transports() -> Result<()> {
    let (platform, groups) = platform().await?;
    groups.serve(Arc::new(Weather));
    let wire = Wire::to(&platform).await?;
    let cluster = json!({"apiVersion": "coracle.dev/v1alpha1", "kind": "LogicalCluster", "metadata": {"name": "team"}});
    wire.made("/apis/coracle.dev/v1alpha1/logicalclusters", cluster).await?;
    let there: Arc<dyn Objects> = Arc::new(KubeObjects::new(platform.kube().await?, ClusterName::root()));
    for (side, objects) in [("in process", platform.objects.clone()), ("over TLS", there)] {
        let read = async |cluster: &str, path: &str| -> Result<Value, Status> {
            let cluster = ClusterName::new(cluster).unwrap_or_else(ClusterName::root);
            serde_json::from_slice(&objects.get_raw(&cluster, path).await?).map_err(Status::internal)
        };
        let list = read("team", &format!("{FORECASTS}?labelSelector=a%20in%20%28b%29")).await?;
        ensure!(list["metadata"]["selfLink"] == "team|default|a in (b)", "{side}: {list}");
        ensure!(read("root", TODAY).await?["kind"] == "Forecast", "{side}");
        ensure!(read("root", "/version").await?["major"] == "1", "{side}");
        let gone = read("root", &format!("{FORECASTS}/never")).await;
        ensure!(gone.as_ref().is_err_and(Status::is_not_found), "{side}: {gone:?}");
        let nowhere = read("nope", TODAY).await;
        ensure!(nowhere.as_ref().is_err_and(Status::is_not_found), "{side}: {nowhere:?}");
    }
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_finds_and_reads_a_group() -> Result<()> {
    let (platform, groups) = platform().await?;
    groups.serve(Arc::new(Weather));
    let kubectl = Kubectl::new(&platform)?;
    ensure!(kubectl.ok(&["api-versions"]).await?.contains("weather.example.dev/v1beta1"));
    let listed = kubectl.ok(&["api-resources", "--api-group=weather.example.dev"]).await?;
    ensure!(listed.contains("forecasts") && listed.contains("fc"), "{listed}");
    ensure!(kubectl.ok(&["get", "fc"]).await?.contains("today"));
    ensure!(
        kubectl.ok(&["get", "forecast", "today", "-o", "name"]).await?.contains("forecast.weather.example.dev/today")
    );
    let refused = kubectl.fails(&["get", "forecasts", "--as=nobody"]).await?;
    ensure!(refused.contains("cannot list resource \"forecasts\" in API group \"weather.example.dev\""), "{refused}");
    platform.stop().await;
    Ok(())
}
