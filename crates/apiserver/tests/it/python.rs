//! The Python `kubernetes` client, typed and dynamic.

use anyhow::{Result, bail};
use testkit::{Platform, tools};
use tokio::process::Command;

const SCRIPT: &str = r#"
import sys
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient

config.load_kube_config(sys.argv[1])
core, apps = client.CoreV1Api(), client.AppsV1Api()
assert client.VersionApi().get_code().minor == "36"
core.create_namespace({"metadata": {"name": "py"}})
core.create_namespaced_config_map("py", client.V1ConfigMap(metadata=client.V1ObjectMeta(name="c", labels={"x": "y"}), data={"a": "1"}))
assert core.read_namespaced_config_map("c", "py").data == {"a": "1"}
core.patch_namespaced_config_map("c", "py", {"data": {"b": "2"}})
listed = core.list_namespaced_config_map("py", label_selector="x=y")
assert [item.data for item in listed.items] == [{"a": "1", "b": "2"}], listed
container = client.V1Container(name="web", image="nginx:1.29")
template = client.V1PodTemplateSpec(metadata=client.V1ObjectMeta(labels={"app": "web"}), spec=client.V1PodSpec(containers=[container]))
spec = client.V1DeploymentSpec(replicas=1, selector=client.V1LabelSelector(match_labels={"app": "web"}), template=template)
apps.create_namespaced_deployment("py", client.V1Deployment(metadata=client.V1ObjectMeta(name="web"), spec=spec))
scale = apps.patch_namespaced_deployment_scale("web", "py", {"spec": {"replicas": 4}})
assert scale.spec.replicas == 4, scale
stream = watch.Watch().stream(core.list_namespaced_config_map, "py", resource_version=listed.metadata.resource_version, timeout_seconds=5)
core.delete_namespaced_config_map("c", "py")
kinds = []
for event in stream:
    kinds.append(event["type"])
    if event["type"] == "DELETED":
        break
assert kinds == ["DELETED"], kinds
try:
    core.read_namespaced_config_map("c", "py")
    raise SystemExit("a deleted object was read")
except ApiException as error:
    assert error.status == 404, error
dynamic = DynamicClient(client.ApiClient()).resources.get(api_version="apps/v1", kind="Deployment")
assert dynamic.get(name="web", namespace="py").spec.replicas == 4
print("done")
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_python_program_works_unchanged() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let output = Command::new(tools::python()?).args(["-c", SCRIPT]).arg(platform.kubeconfig()).output().await?;
    if String::from_utf8_lossy(&output.stdout).trim() != "done" {
        bail!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    platform.stop().await;
    Ok(())
}
