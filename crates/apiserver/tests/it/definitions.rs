//! CustomResourceDefinitions: served as soon as created, and gone with their
//! instances.

use anyhow::{Result, ensure};
use serde_json::json;
use testkit::{Kubectl, Platform};

use super::semantics::{DEFINITIONS, definition};
use super::wire::Wire;

const DEFINITION: &str = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.count, statusReplicasPath: .status.count}
    additionalPrinterColumns:
    - {name: Color, type: string, jsonPath: .spec.color}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              color: {type: string, description: What it looks like.}
              count: {type: integer}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
";

const WIDGET: &str = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: one}\nspec: {color: red, count: 2}\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_lives_as_long_as_its_definition() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let kubectl = Kubectl::new(&platform)?;
    kubectl.ok_with(&["create", "-f", "-"], DEFINITION).await?;
    kubectl.ok_with(&["create", "-f", "-"], WIDGET).await?;
    kubectl.ok(&["wait", "--for=condition=Established", "crd/widgets.example.com", "--timeout=5s"]).await?;
    let table = kubectl.ok(&["get", "wd"]).await?;
    ensure!(table.contains("COLOR") && table.contains("red"), "{table}");
    ensure!(kubectl.ok(&["explain", "widget.spec.color"]).await?.contains("What it looks like."));
    kubectl.ok(&["scale", "widget", "one", "--replicas=7"]).await?;
    ensure!(kubectl.ok(&["get", "widget", "one", "-o", "jsonpath={.spec.count}"]).await? == "7");
    kubectl
        .ok(&["patch", "widget", "one", "--type=merge", "-p", r#"{"spec":{"color":"blue"},"status":{"ignored":true}}"#])
        .await?;
    ensure!(kubectl.ok(&["get", "widget", "one", "-o", "jsonpath={.spec.color}{.status}"]).await? == "blue");
    kubectl.ok_with(&["apply", "-f", "-"], &WIDGET.replace("red", "green")).await?;

    let clash =
        DEFINITION.replace("widgets.example.com", "gadgets.example.com").replace("plural: widgets", "plural: gadgets");
    kubectl.ok_with(&["create", "-f", "-"], &clash).await?;
    let accepted = kubectl
        .ok(&[
            "get",
            "crd",
            "gadgets.example.com",
            "-o",
            "jsonpath={.status.conditions[?(@.type=='NamesAccepted')].status}",
        ])
        .await?;
    ensure!(accepted == "False", "two definitions cannot share a kind: {accepted}");

    kubectl
        .ok(&["patch", "widget", "one", "--type=merge", "-p", r#"{"metadata":{"finalizers":["example.com/hold"]}}"#])
        .await?;
    kubectl.ok(&["delete", "crd", "widgets.example.com", "--wait=false"]).await?;
    ensure!(
        kubectl
            .ok(&["get", "crd", "widgets.example.com", "-o", "jsonpath={.metadata.deletionTimestamp}"])
            .await?
            .contains('T'),
        "the definition waits for its last instance"
    );
    let late = kubectl.run_with(&["create", "-f", "-"], &WIDGET.replace("one", "late")).await?;
    ensure!(!late.ok && late.stderr.contains("while custom resource definition is terminating"), "{}", late.stderr);
    kubectl.ok(&["patch", "widget", "one", "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#]).await?;
    kubectl.ok(&["wait", "--for=delete", "crd/widgets.example.com", "--timeout=5s"]).await?;
    ensure!(
        kubectl
            .fails(&["get", "--raw", "/apis/example.com/v1/widgets"])
            .await?
            .contains("could not find the requested resource")
    );
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_that_cannot_be_served_is_refused() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let kubectl = Kubectl::new(&platform)?;
    let cases = [
        (DEFINITION.replace("widgets.example.com", "wodgets.example.com"), "must be spec.names.plural"),
        (DEFINITION.replace("scope: Namespaced", "scope: Everywhere"), "Unsupported value"),
        (DEFINITION.replace("storage: true", "storage: false"), "exactly one version marked as storage version"),
    ];
    for (manifest, expect) in cases {
        let output = kubectl.run_with(&["create", "-f", "-"], &manifest).await?;
        ensure!(!output.ok && output.stderr.contains(expect), "{expect}: {}", output.stderr);
    }
    ensure!(!kubectl.ok(&["get", "crd", "-o", "name"]).await?.contains("widgets"));
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_pass_on_and_every_definition_can_go() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    let path = |name: &str| format!("{DEFINITIONS}/{name}.example.com");
    wire.made(DEFINITIONS, definition("widgets", "Widget", &[true])).await?;
    let widgets = "/apis/example.com/v1/namespaces/default/widgets";
    wire.made(widgets, json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}})).await?;
    for plural in ["first", "second"] {
        wire.made(DEFINITIONS, definition(plural, "Widget", &[true])).await?;
    }
    let (code, status) = wire.delete(&path("first")).await?;
    ensure!(code == 200, "a definition that never served goes: {status}");
    ensure!(wire.get(&path("first")).await?.0 == 404);
    ensure!(wire.get(&format!("{widgets}/w")).await?.0 == 200, "and takes nothing of others along");

    ensure!(wire.delete(&path("widgets")).await?.0 == 200);
    ensure!(wire.get(&path("widgets")).await?.0 == 404);
    let (_, second) = wire.get(&path("second")).await?;
    ensure!(second["status"]["conditions"][1]["status"] == "True", "it has the kind now: {second}");
    let second = "/apis/example.com/v1/namespaces/default/second";
    ensure!(wire.get(second).await?.0 == 200);

    wire.made(second, json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}})).await?;
    let unserved = json!({"spec": definition("second", "Widget", &[false])["spec"]});
    ensure!(wire.merge(&path("second"), unserved).await?.0 == 200);
    ensure!(wire.delete(&path("second")).await?.0 == 200);
    ensure!(wire.get(&path("second")).await?.0 == 404, "also one that serves nothing any more goes");
    wire.made(DEFINITIONS, definition("second", "Widget", &[true])).await?;
    let (_, list) = wire.get(second).await?;
    ensure!(list["items"] == json!([]), "with its instances: {list}");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_created_at_once_one_gets_the_name() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    let plurals = ["as", "bs", "cs", "ds", "es", "fs", "gs", "hs"];
    let made = plurals.map(|plural| wire.made(DEFINITIONS, definition(plural, "Widget", &[true])));
    for outcome in futures::future::join_all(made).await {
        outcome?;
    }
    // Each turn asks the server once, which is time enough for what it still has to do.
    let mut rest = 5000;
    loop {
        let (_, list) = wire.get(DEFINITIONS).await?;
        let definitions = list["items"].as_array().cloned().unwrap_or_default();
        let of_plural = |plural: &str| definitions.iter().find(|held| held["spec"]["names"]["plural"] == plural);
        let established: Vec<&str> = plurals
            .into_iter()
            .filter(|plural| of_plural(plural).is_some_and(|held| held["status"]["conditions"][1]["status"] == "True"))
            .collect();
        if let [winner] = established.as_slice() {
            for plural in plurals {
                let (code, _) = wire.get(&format!("/apis/example.com/v1/namespaces/default/{plural}")).await?;
                ensure!((code == 200) == (plural == *winner), "{plural}: {code}, {winner} has the name");
            }
            break;
        }
        ensure!(rest > 0, "{established:?} have one name");
        rest -= 1;
        tokio::task::yield_now().await;
    }
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_given_up_goes_to_who_waits() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    let with_short = |plural: &str, kind: &str| {
        let mut made = definition(plural, kind, &[true]);
        made["spec"]["names"]["shortNames"] = json!(["x"]);
        made
    };
    wire.made(DEFINITIONS, with_short("firsts", "First")).await?;
    wire.made(DEFINITIONS, with_short("seconds", "Second")).await?;
    let state = async || -> Result<serde_json::Value> {
        Ok(wire.get(&format!("{DEFINITIONS}/seconds.example.com")).await?.1["status"]["conditions"][0].clone())
    };
    ensure!(state().await?["reason"] == "ShortNamesConflict", "{}", state().await?);
    let without = json!({"spec": {"names": {"shortNames": null}}});
    ensure!(wire.merge(&format!("{DEFINITIONS}/firsts.example.com"), without).await?.0 == 200);
    // Each turn asks the server once, which is time enough for what it still has to do.
    let mut rest = 5000;
    while state().await?["status"] != "True" {
        ensure!(rest > 0, "{}", state().await?);
        rest -= 1;
        tokio::task::yield_now().await;
    }
    platform.stop().await;
    Ok(())
}
