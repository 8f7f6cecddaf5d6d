//! Workloads on simulated nodes, from a package to pods: health as Argo CD would
//! say, kubectl's commands, what the garbage collector does to what is owned, and
//! a server that is killed on the way.

use std::process::Command;

use crate::sandbox::{Sandbox, fixtures};

/// A platform with nodes and the package of this test.
fn shop() -> Sandbox {
    let sandbox = Sandbox::new();
    let package = fixtures().join("workloads").display().to_string();
    sandbox.create(&["--simulated-nodes", "3", "-p", &package]).ok();
    sandbox
}

impl Sandbox {
    /// kubectl in the namespace of the package; what it printed.
    #[track_caller]
    fn shop(&self, arguments: &[&str]) -> String {
        self.kubectl(&[&["-n", "shop"], arguments].concat()).ok().stdout
    }

    /// Waits until the Application is as well as this.
    #[track_caller]
    fn until_health(&self, health: &str) {
        let condition = format!("--for=jsonpath={{.status.health.status}}={health}");
        self.kubectl(&["wait", "application", "shop", "-n", "argocd", &condition, "--timeout=60s"]).ok();
    }

    /// Ends the server without giving it time for anything.
    fn kill_server(&self) {
        let pid = std::fs::read_to_string(self.platform().join("server.pid")).expect("it runs");
        let killed = Command::new("kill").args(["-9", pid.trim()]).status().expect("kill runs");
        assert!(killed.success());
    }
}

/// Strategic merge patch of the template of the Deployment.
fn template(patch: &str) -> String {
    format!(r#"{{"spec":{{"template":{patch}}}}}"#)
}

#[test]
fn an_application_over_workloads_is_as_well_as_they_are() {
    let sandbox = shop();
    assert_eq!(sandbox.application("shop"), ("Synced".into(), "Healthy".into()));
    let pods = sandbox.shop(&["get", "pods", "-l", "app in (front,store)", "--no-headers"]);
    assert_eq!(pods.lines().filter(|line| line.contains("1/1") && line.contains("Running")).count(), 5, "{pods}");
    let claims = sandbox.shop(&["get", "pvc", "--no-headers"]);
    assert_eq!(claims.lines().filter(|line| line.contains("Bound")).count(), 2, "{claims}");
    sandbox.shop(&["wait", "--for=condition=complete", "job/seed", "job/migrate", "--timeout=30s"]);
    assert!(sandbox.kubectl(&["top", "nodes"]).ok().stdout.contains("simulated-0"));

    // Self-heal would put the image back: the cause is one that the Application does not state.
    let stuck = template(r#"{"metadata":{"annotations":{"simulated.coracle.dev/ready":"false"}}}"#);
    sandbox.shop(&["patch", "deployment", "front", "-p", &stuck]);
    sandbox.until_health("Degraded");
    let told = sandbox.kubectl(&["get", "application", "shop", "-n", "argocd", "-o", "yaml"]).ok().stdout;
    assert!(told.contains(r#"Deployment "front" exceeded its progress deadline"#), "{told}");
    sandbox.shop(&["rollout", "undo", "deployment/front"]);
    sandbox.until_health("Healthy");
    sandbox.shop(&["rollout", "status", "deployment/front", "--timeout=30s"]);
}

#[test]
fn a_rollout_goes_on_after_the_server_is_killed() {
    let sandbox = shop();
    // Slow enough that the kill comes in the middle.
    let slow = template(r#"{"metadata":{"annotations":{"simulated.coracle.dev/starts-after":"1s"}}}"#);
    sandbox.shop(&["patch", "deployment", "front", "-p", &slow]);
    sandbox.shop(&["wait", "--for=jsonpath={.status.updatedReplicas}=1", "deployment/front", "--timeout=30s"]);
    sandbox.kill_server();
    sandbox.run(&["start"]).ok();
    sandbox.shop(&["rollout", "status", "deployment/front", "--timeout=60s"]);
    let sets = sandbox.shop(&["get", "replicasets", "-l", "app=front", "--no-headers"]);
    assert_eq!(sets.lines().count(), 2, "{sets}");
    let claims = sandbox.shop(&["get", "pvc", "--no-headers"]);
    assert_eq!(claims.lines().count(), 2, "{claims}");
}

#[test]
fn what_is_owned_goes_with_its_owner_or_stays() {
    let sandbox = shop();
    sandbox.kubectl(&["create", "deployment", "loose", "--image=example/web:1", "--replicas=2"]).ok();
    sandbox.kubectl(&["rollout", "status", "deployment/loose", "--timeout=30s"]).ok();
    sandbox.kubectl(&["delete", "deployment", "loose", "--cascade=orphan"]).ok();
    let set = sandbox.kubectl(&["get", "replicasets", "-o", "name"]).ok().stdout;
    assert_eq!(set.lines().count(), 1, "{set}");
    assert_eq!(sandbox.kubectl(&["get", "pods", "-o", "name"]).ok().stdout.lines().count(), 2);
    sandbox.kubectl(&["create", "deployment", "loose", "--image=example/web:1", "--replicas=2"]).ok();
    sandbox.kubectl(&["rollout", "status", "deployment/loose", "--timeout=30s"]).ok();
    let again = sandbox.kubectl(&["get", "replicasets", "-o", "name"]).ok().stdout;
    assert_eq!(again, set, "the orphan is adopted");
    sandbox.kubectl(&["delete", "deployment", "loose", "--cascade=foreground"]).ok();
    assert_eq!(sandbox.kubectl(&["get", "replicasets,pods", "-o", "name"]).ok().stdout, "");
    // In the background, too, everything goes.
    sandbox.kubectl(&["create", "job", "once", "--image=example/job:1"]).ok();
    sandbox.kubectl(&["wait", "--for=condition=complete", "job/once", "--timeout=30s"]).ok();
    sandbox.kubectl(&["delete", "job", "once"]).ok();
    sandbox.kubectl(&["wait", "--for=delete", "pods", "-l", "job-name=once", "--timeout=30s"]).ok();
}

#[test]
fn a_node_is_drained_within_its_budgets() {
    let sandbox = shop();
    sandbox.shop(&["create", "poddisruptionbudget", "front", "--selector=app=front", "--min-available=2"]);
    let allowed = "--for=jsonpath={.status.disruptionsAllowed}=1";
    sandbox.shop(&["wait", allowed, "poddisruptionbudget/front", "--timeout=30s"]);
    let drain = ["drain", "simulated-0", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=60s"];
    sandbox.kubectl(&drain).ok();
    let on_node = ["get", "pods", "-A", "--field-selector=spec.nodeName=simulated-0", "-o", "name"];
    let left = sandbox.kubectl(&on_node).ok().stdout;
    assert!(!left.contains("pod/front"), "{left}");
    sandbox.shop(&["rollout", "status", "deployment/front", "--timeout=30s"]);
    assert!(sandbox.kubectl(&["get", "node", "simulated-0"]).ok().stdout.contains("SchedulingDisabled"));
    sandbox.kubectl(&["uncordon", "simulated-0"]).ok();
}
