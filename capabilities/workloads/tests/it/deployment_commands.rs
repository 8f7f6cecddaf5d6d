//! Deployments as people handle them with kubectl.

use serde_json::Value;
use testkit::Kubectl;

use crate::bed::on_both;
use crate::deployments::{is_complete, sizes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_rolls_out_back_and_forth() {
    on_both(async |bed| {
        let kubectl = Kubectl::new(&bed.platform).unwrap();
        let run = async |line: &str| kubectl.ok(&line.split(' ').collect::<Vec<_>>()).await.unwrap();
        run("create deployment web --image=example/web:1 --replicas=2").await;
        let out = "deployment \"web\" successfully rolled out\n";
        assert!(run("rollout status deployment/web").await.ends_with(out));
        run("annotate deployment web kubernetes.io/change-cause=first").await;
        run("set image deployment/web web=example/web:2").await;
        run("annotate deployment web kubernetes.io/change-cause=second").await;
        assert!(run("rollout status deployment/web").await.ends_with(out));
        let causes = async |rows: &str| {
            let told = run("rollout history deployment/web").await;
            let words: Vec<&str> = told.split_whitespace().collect();
            assert_eq!(words.join(" "), format!("deployment.apps/web REVISION CHANGE-CAUSE {rows}"));
        };
        let is_second = |sets: &[Value]| {
            sets.iter().any(|set| set["metadata"]["annotations"]["kubernetes.io/change-cause"] == "second")
        };
        bed.until("the cause is copied", "replicasets", is_second).await;
        causes("1 first 2 second").await;
        assert!(run("rollout history deployment/web --revision=2").await.contains("example/web:2"));

        assert_eq!(run("rollout undo deployment/web").await, "deployment.apps/web rolled back\n");
        assert!(run("rollout status deployment/web").await.ends_with(out));
        let web = bed.until_one("it is out", "deployments", "web", is_complete).await;
        assert_eq!(web["spec"]["template"]["spec"]["containers"][0]["image"], "example/web:1");
        assert_eq!(web["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "3");
        run("rollout undo deployment/web --to-revision=2").await;
        assert!(run("rollout status deployment/web").await.ends_with(out));
        let gone = kubectl.fails(&["rollout", "undo", "deployment/web", "--to-revision=1"]).await.unwrap();
        assert_eq!(gone, "error: unable to find specified revision 1 in history\n");

        run("rollout restart deployment/web").await;
        assert!(run("rollout status deployment/web").await.ends_with(out));
        let sets = bed.until("a third set is there", "replicasets", |sets| sets.len() == 3).await;
        assert_eq!(sizes(&sets), [0, 0, 2]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_pauses_resumes_and_scales() {
    on_both(async |bed| {
        let kubectl = Kubectl::new(&bed.platform).unwrap();
        let run = async |line: &str| kubectl.ok(&line.split(' ').collect::<Vec<_>>()).await.unwrap();
        run("create deployment web --image=example/web:1 --replicas=2").await;
        run("rollout status deployment/web").await;
        assert_eq!(run("rollout pause deployment/web").await, "deployment.apps/web paused\n");
        run("set image deployment/web web=example/web:2").await;
        assert_eq!(run("scale deployment web --replicas=4").await, "deployment.apps/web scaled\n");
        let scaled = |web: &Value| web["status"]["availableReplicas"] == 4;
        bed.until_one("it is scaled", "deployments", "web", scaled).await;
        assert_eq!(sizes(&bed.list("replicasets").await), [4]);
        assert_eq!(run("rollout resume deployment/web").await, "deployment.apps/web resumed\n");
        let told = run("rollout status deployment/web").await;
        assert!(told.ends_with("deployment \"web\" successfully rolled out\n"), "{told}");
        run("wait --for=condition=Available deployment/web --timeout=10s").await;
        bed.until("the new ones are there", "replicasets", |sets| sizes(sets) == [0, 4]).await;
        let rows = run("get deployment web --no-headers").await;
        assert_eq!(rows.split_whitespace().take(4).collect::<Vec<_>>(), ["web", "4/4", "4", "4"]);
        let described = run("describe deployment web").await;
        assert!(described.contains("ScalingReplicaSet"), "{described}");
    })
    .await;
}
