//! Definitions put into a server, as far as the first request to each kind.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::https::{Ask, Client};
use crate::server::Server;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/// The peer serves a definition some time after it has taken it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Creates definitions one after the other and asks for a list of each kind.
/// One that is there already stays.
pub async fn definitions(server: &Server, definitions: &[Value]) -> Result<()> {
    let mut client = Client::connect(server).await?;
    for definition in definitions {
        let answer = client.send(Ask::create(DEFINITIONS, definition.to_string())).await?;
        if !answer.status.is_success() && answer.status != 409 {
            bail!("{}: {}: {}", definition["metadata"]["name"], answer.status, answer.text());
        }
    }
    let begin = Instant::now();
    for definition in definitions {
        let path = objects(definition)?;
        while !client.send(Ask::get(&path)).await?.status.is_success() {
            if begin.elapsed() > PATIENCE {
                bail!("{path} is not served");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

/// Where the objects of a definition are, in the first version that is served.
fn objects(definition: &Value) -> Result<String> {
    let spec = &definition["spec"];
    let versions = spec["versions"].as_array().context("no versions")?;
    let version = versions.iter().find(|version| version["served"] == true).context("no version is served")?;
    let text = |value: &Value| value.as_str().map(str::to_owned).context("a name is missing");
    let (group, plural) = (text(&spec["group"])?, text(&spec["names"]["plural"])?);
    Ok(format!("/apis/{group}/{}/{plural}", text(&version["name"])?))
}
