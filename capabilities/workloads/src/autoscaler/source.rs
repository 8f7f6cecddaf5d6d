//! Where figures come from: the metrics APIs of the autoscaler's cluster, by
//! plain reads, so that anybody may serve them. It words failures as Kubernetes
//! does and decides nothing.

use api::{ClusterName, Gvk, Status};
use client::Objects;
use jiff::{SignedDuration, Timestamp};
use machinery::quantity::Quantity;
use serde::Deserialize;
use serde_json::Value;

use super::replicas::{Sample, Samples};
use super::spec::{Identifier, Reference};

/// One namespace of a cluster.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) objects: &'a dyn Objects,
    pub(super) cluster: &'a ClusterName,
    pub(super) namespace: &'a str,
}

#[derive(Deserialize)]
struct List<T> {
    #[serde(default = "Vec::new")]
    items: Vec<T>,
}

#[derive(Deserialize)]
struct PodMetrics {
    metadata: Named,
    #[serde(default)]
    timestamp: Option<Timestamp>,
    #[serde(default)]
    window: Option<String>,
    #[serde(default)]
    containers: Vec<ContainerMetrics>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct ContainerMetrics {
    name: String,
    #[serde(default)]
    usage: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetricValue {
    #[serde(default)]
    described_object: Option<Named>,
    #[serde(default)]
    timestamp: Option<Timestamp>,
    #[serde(default)]
    window_seconds: Option<i64>,
    value: Value,
}

impl Source<'_> {
    /// What the selected pods use of a resource, of one container or of all (empty).
    pub(super) async fn resource(&self, resource: &str, container: &str, selector: &str) -> Result<Samples, String> {
        let path = format!(
            "/apis/metrics.k8s.io/v1beta1/namespaces/{}/pods?labelSelector={}",
            self.namespace,
            encoded(selector)
        );
        let failed = |why: String| format!("unable to get metrics for resource {resource}: {why}");
        let list: List<PodMetrics> = self.read(&path).await.map_err(|status| {
            failed(format!(
                "unable to fetch metrics from resource metrics API: {}",
                told(&status, "get pods.metrics.k8s.io")
            ))
        })?;
        if list.items.is_empty() {
            return Err(failed("no metrics returned from resource metrics API".into()));
        }
        let mut samples = Samples::new();
        for pod in list.items {
            let name = &pod.metadata.name;
            if !container.is_empty() && pod.containers.iter().all(|held| held.name != container) {
                let why = format!("container {container} not present in metrics for pod {}/{name}", self.namespace);
                return Err(failed(format!("failed to get container metrics: {why}")));
            }
            let counted = pod.containers.iter().filter(|held| container.is_empty() || held.name == container);
            let used: Option<Vec<i64>> = counted.map(|held| milli(&held.usage[resource])).collect();
            // A pod of which one container is not measured is not measured.
            if let Some(used) = used {
                let (time, window) = (pod.timestamp.unwrap_or_default(), pod.window.as_deref());
                let window = window.and_then(|text| text.parse().ok()).unwrap_or(SignedDuration::from_mins(1));
                samples.insert(name.clone(), Sample { value: used.iter().sum(), time, window });
            }
        }
        Ok(samples)
    }

    /// A metric of each of the selected pods.
    pub(super) async fn pods(&self, metric: &Identifier, selector: &str) -> Result<Samples, String> {
        let path = format!(
            "/apis/custom.metrics.k8s.io/v1beta2/namespaces/{}/pods/*/{}?labelSelector={}&metricLabelSelector={}",
            self.namespace,
            encoded(&metric.name),
            encoded(selector),
            encoded(&text(metric)?)
        );
        let failed = |why: String| format!("unable to get metric {}: {why}", metric.name);
        let values = self.custom(&path).await.map_err(failed)?;
        if values.is_empty() {
            return Err(failed("no metrics returned from custom metrics API".into()));
        }
        let sample = |value: MetricValue| {
            let window = SignedDuration::from_secs(value.window_seconds.unwrap_or(60));
            let sample = Sample { value: milli(&value.value)?, time: value.timestamp.unwrap_or_default(), window };
            Some((value.described_object?.name, sample))
        };
        Ok(values.into_iter().filter_map(sample).collect())
    }

    /// A metric of one object, in thousandths.
    pub(super) async fn object(&self, metric: &Identifier, of: &Reference) -> Result<i64, String> {
        let failed =
            |why: String| format!("unable to get metric {}: {} on {} {why}", metric.name, of.kind, self.namespace);
        let failed = |why: String| failed(format!("{}/{why}", of.name));
        let gvk = Gvk::from_api_version(&of.api_version, &of.kind);
        let kind = self.objects.kind(self.cluster, &gvk).await.map_err(|status| failed(status.message))?;
        let kind = kind.ok_or_else(|| failed(no_match(&gvk)))?;
        let group = if gvk.group.is_empty() { String::new() } else { format!(".{}", gvk.group) };
        let namespace = if kind.namespaced { format!("namespaces/{}/", self.namespace) } else { String::new() };
        let path = format!(
            "/apis/custom.metrics.k8s.io/v1beta2/{namespace}{}{group}/{}/{}?metricLabelSelector={}",
            kind.plural,
            encoded(&of.name),
            encoded(&metric.name),
            encoded(&text(metric)?)
        );
        let values = self.custom(&path).await.map_err(failed)?;
        let value = values.first().and_then(|value| milli(&value.value));
        value.ok_or_else(|| failed("no metrics returned from custom metrics API".into()))
    }

    /// The sum of an external metric, in thousandths.
    pub(super) async fn external(&self, metric: &Identifier) -> Result<i64, String> {
        let path = format!(
            "/apis/external.metrics.k8s.io/v1beta1/namespaces/{}/{}?labelSelector={}",
            self.namespace,
            encoded(&metric.name),
            encoded(&text(metric)?)
        );
        let shown = format!("{}/{}/{}", self.namespace, metric.name, super::words::selector(&metric.selector));
        let failed = |why: String| format!("unable to get external metric {shown}: {why}");
        let list: List<MetricValue> = self.read(&path).await.map_err(|status| {
            let asked = format!("get {}.external.metrics.k8s.io", metric.name);
            failed(format!("unable to fetch metrics from external metrics API: {}", told(&status, &asked)))
        })?;
        if list.items.is_empty() {
            return Err(failed("no metrics returned from external metrics API".into()));
        }
        Ok(list.items.iter().filter_map(|value| milli(&value.value)).fold(0, i64::saturating_add))
    }

    async fn custom(&self, path: &str) -> Result<Vec<MetricValue>, String> {
        let list = self.read::<List<MetricValue>>(path).await;
        list.map(|list| list.items)
            .map_err(|status| format!("unable to fetch metrics from custom metrics API: {}", status.message))
    }

    async fn read<T: for<'de> Deserialize<'de>>(&self, path: &str) -> Result<T, Status> {
        let answer = self.objects.get_raw(self.cluster, path).await?;
        serde_json::from_slice(&answer).map_err(Status::internal)
    }
}

/// That a kind is not served.
pub(super) fn no_match(gvk: &Gvk) -> String {
    format!("no matches for kind \"{}\" in group \"{}\"", gvk.kind, gvk.group)
}

/// What a client of Kubernetes makes of an answer: a path that leads nowhere tells what was asked.
fn told(status: &Status, asked: &str) -> String {
    if status.is_not_found() && !status.message.contains('"') {
        return format!("the server could not find the requested resource ({asked})");
    }
    status.message.clone()
}

fn milli(value: &Value) -> Option<i64> {
    Quantity::from_json(value).map(|quantity| quantity.milli_value())
}

/// The selector of a metric as text.
fn text(metric: &Identifier) -> Result<String, String> {
    if metric.selector.is_null() {
        return Ok(String::new());
    }
    super::words::selector_text(&metric.selector)
}

/// Text as a part of a path or a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_put_in_a_path_stays_one_part() {
        assert_eq!(super::encoded("app=web,tier in (a b)/é"), "app%3Dweb%2Ctier%20in%20%28a%20b%29%2F%C3%A9");
    }
}
