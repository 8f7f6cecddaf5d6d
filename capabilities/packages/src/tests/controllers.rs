//! The three controllers together, on fake objects and a fake git server.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use api::Gvk;
use base::Tasks;
use bytes::Bytes;
use capability::Endpoints;
use client::fake::{FakeObjects, Verb, descriptor};
use client::{Patch, Target, WriteOptions};
use contracts::git::{Error, File, Mode};
use serde_json::{Value, json};

use super::fake_git::FakeGit;
use crate::platform::Platform;
use crate::{controllers, kinds, naming};

const NAMESPACE: &str = "idpbuilder-localdev";

struct World {
    fake: FakeObjects,
    git: Arc<FakeGit>,
    root: tempfile::TempDir,
    tasks: Tasks,
}

impl World {
    fn new() -> World {
        let fake = FakeObjects::new();
        for (kind, plural, namespaced) in [
            ("Localbuild", "localbuilds", false),
            ("CustomPackage", "custompackages", true),
            ("GitRepository", "gitrepositories", true),
        ] {
            fake.serve(descriptor(&Gvk::new(kinds::GROUP, "v1alpha1", kind), plural, namespaced, true));
        }
        fake.serve(descriptor(&Gvk::new("argoproj.io", "v1alpha1", "Application"), "applications", true, false));
        let root = tempfile::tempdir().expect("a directory");
        World { fake, git: Arc::new(FakeGit::default()), root, tasks: Tasks::default() }
    }

    fn start(&self) {
        let endpoints = Endpoints {
            name: "localdev".into(),
            protocol: "https".into(),
            host: "cnoe.localtest.me".into(),
            port: 8443,
            path_routing: false,
            api_url: String::new(),
            ca_pem: String::new(),
        };
        let platform = Platform {
            objects: self.fake.objects(),
            clock: self.fake.clock(),
            endpoints: Arc::new(endpoints),
            repositories: self.git.clone(),
            sources: self.git.clone(),
        };
        controllers::start(&platform, &self.tasks);
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().expect("a file has a directory")).expect("is writable");
        fs::write(path, text).expect("is writable");
    }

    fn package(&self, name: &str) -> String {
        fs::canonicalize(self.root.path().join(name)).expect("exists").display().to_string()
    }

    /// Puts the Localbuild of an invocation.
    fn create(&self, start_time: &str, configs: Value) {
        self.fake.put(&json!({
            "apiVersion": kinds::API_VERSION,
            "kind": "Localbuild",
            "metadata": {"name": "localdev", "annotations": {naming::CLI_START_TIME: start_time}},
            "spec": {"packageConfigs": configs},
        }));
    }

    /// Asks again, as a second `create` does.
    async fn ask(&self, start_time: &str, configs: Value) {
        let patch = json!({
            "metadata": {"annotations": {naming::CLI_START_TIME: start_time}},
            "spec": {"packageConfigs": configs},
        });
        let target = Target::cluster(&api::ClusterName::root(), &kinds::localbuilds());
        let patch = Patch::Merge(Bytes::from(patch.to_string()));
        self.fake
            .objects()
            .patch(&target, "localdev", None, patch, WriteOptions::default())
            .await
            .expect("is accepted");
    }

    async fn observed(&self, plural: &str, namespace: &str, name: &str, start_time: &str) -> Value {
        let what = format!("{plural} {name} to observe {start_time}");
        let observed = |fake: &FakeObjects| {
            let object = fake.find(plural, namespace, name).unwrap_or_default();
            object["metadata"]["annotations"][naming::LAST_OBSERVED] == *start_time
        };
        self.fake.until(&what, observed).await;
        self.fake.find(plural, namespace, name).expect("is there")
    }
}

fn application(name: &str, url: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n  namespace: argocd\nspec:\n  source:\n    repoURL: {url}\n    path: .\n"
    )
}

#[tokio::test]
async fn a_local_package_becomes_a_repository_and_an_application() {
    let world = World::new();
    world.write("one/app.yaml", &application("my-app", "cnoe://manifests"));
    world.write("one/manifests/cm.yaml", "kind: ConfigMap");
    world.create("t1", json!({"customPackageDirs": [world.package("one")]}));
    world.start();
    let package = world.observed("custompackages", NAMESPACE, "app-my-app", "t1").await;
    assert_eq!(package["status"]["synced"], true);
    assert_eq!(package["metadata"]["annotations"][naming::PRIORITY], "0");
    assert_eq!(package["status"]["gitRepositoryRefs"][0]["name"], "my-app-manifests");
    let repository = world.fake.find("gitrepositories", NAMESPACE, "my-app-manifests").expect("was made");
    let url = "https://git/giteaAdmin/idpbuilder-localdev-my-app-manifests.git";
    assert_eq!(repository["status"]["externalGitRepositoryUrl"], url);
    assert_eq!(repository["status"]["commit"]["hash"], "commit-1");
    assert_eq!(repository["status"]["synced"], true);
    assert_eq!(repository["metadata"]["ownerReferences"][0]["kind"], "CustomPackage");
    let app = world.fake.find("applications", "argocd", "my-app").expect("was written");
    assert_eq!(app["spec"]["source"]["repoURL"], url);
    assert_eq!(app["metadata"]["labels"][naming::PACKAGE_NAME], "my-app");
    assert_eq!(app["metadata"]["labels"][naming::PACKAGE_TYPE], "custom");
    assert_eq!(app["metadata"]["ownerReferences"][0]["kind"], "Localbuild");
    let commits = world.git.commits.lock();
    let commit = &commits["idpbuilder-localdev-my-app-manifests"][0];
    assert_eq!(commit.author_name, "git-reconciler");
    assert_eq!(commit.author_email, "idpbuilder-agent@cnoe.io");
    assert_eq!(commit.message, format!("updated from {}/manifests", world.package("one")));
    let localbuild = world.fake.find("localbuilds", "", "localdev").expect("is there");
    assert_eq!(localbuild["status"]["gitea"]["adminUserSecretNameecret"], "gitea-credential");
    assert_eq!(localbuild["status"]["ArgoCD"]["available"], true);
}

#[tokio::test]
async fn a_second_invocation_follows_changes_and_removes_what_left() {
    let world = World::new();
    world.write("one/app.yaml", &application("a", "cnoe://m"));
    world.write("one/m/keep.yaml", "1");
    world.write("one/m/gone.yaml", "1");
    world.write("two/app.yaml", &application("b", "https://elsewhere/r"));
    let both = json!({"customPackageDirs": [world.package("one"), world.package("two")]});
    world.create("t1", both);
    world.start();
    world.observed("custompackages", NAMESPACE, "app-a", "t1").await;
    world.observed("custompackages", NAMESPACE, "app-b", "t1").await;
    assert_eq!(world.git.content("idpbuilder-localdev-a-m").len(), 2);

    fs::remove_file(Path::new(&world.package("one")).join("m/gone.yaml")).expect("is ours");
    world.write("one/m/new.yaml", "2");
    world.ask("t2", json!({"customPackageDirs": [world.package("one")]})).await;
    world.observed("custompackages", NAMESPACE, "app-a", "t2").await;
    let names: Vec<String> = world.git.content("idpbuilder-localdev-a-m").into_keys().collect();
    assert_eq!(names, ["keep.yaml", "new.yaml"]);
    world.fake.until("b to go", |fake| fake.find("custompackages", NAMESPACE, "app-b").is_none()).await;
    assert!(world.fake.find("applications", "argocd", "b").is_none());
    assert!(world.fake.find("applications", "argocd", "a").is_some());
}

#[tokio::test]
async fn a_broken_package_is_refused_whole_and_removes_nothing() {
    let world = World::new();
    world.write("one/app.yaml", &application("a", "https://h/r"));
    world.write("two/app.yaml", &application("b", "https://h/r"));
    let both = json!({"customPackageDirs": [world.package("one"), world.package("two")]});
    world.create("t1", both.clone());
    world.start();
    world.observed("custompackages", NAMESPACE, "app-a", "t1").await;
    world.write("one/app.yaml", "a: [");
    world.write("one/other.yaml", &application("c", "https://h/r"));
    world.ask("t2", both).await;
    let localbuild = world.observed("localbuilds", "", "localdev", "t2").await;
    assert_eq!(localbuild["status"]["packages"][0]["code"], "broken-yaml");
    assert_eq!(localbuild["status"]["packages"][1]["error"], Value::Null);
    let discovered = localbuild["status"]["conditions"].as_array().expect("a list").iter();
    let discovered = discovered.clone().find(|held| held["type"] == "PackagesDiscovered").expect("is there");
    assert_eq!(discovered["status"], "False");
    world.observed("custompackages", NAMESPACE, "app-b", "t2").await;
    assert!(world.fake.find("custompackages", NAMESPACE, "app-a").is_some(), "what was there stays");
    assert!(world.fake.find("custompackages", NAMESPACE, "other-c").is_none(), "nothing of it is new");
}

#[tokio::test]
async fn a_later_package_takes_an_application_over() {
    let world = World::new();
    world.write("one/app.yaml", &application("a", "https://one/r"));
    world.write("two/other.yaml", &application("a", "https://two/r"));
    world.create("t1", json!({"customPackageDirs": [world.package("one")]}));
    world.start();
    world.observed("custompackages", NAMESPACE, "app-a", "t1").await;
    world.ask("t2", json!({"customPackageDirs": [world.package("one"), world.package("two")]})).await;
    let package = world.observed("custompackages", NAMESPACE, "other-a", "t2").await;
    assert_eq!(package["metadata"]["annotations"][naming::PRIORITY], "1");
    world.fake.until("the first to go", |fake| fake.find("custompackages", NAMESPACE, "app-a").is_none()).await;
    let app = world.fake.find("applications", "argocd", "a").expect("was not removed with the first");
    assert_eq!(app["spec"]["source"]["repoURL"], "https://two/r");
}

#[tokio::test]
async fn directories_of_one_name_do_not_share_a_repository() {
    let world = World::new();
    let text = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec:\n  sources:\n  - {repoURL: 'cnoe://x/base'}\n  - {repoURL: 'cnoe://y/base'}\n  - {repoURL: 'cnoe://x/base'}\n";
    world.write("one/app.yaml", text);
    world.write("one/x/base/f", "x");
    world.write("one/y/base/f", "y");
    world.create("t1", json!({"customPackageDirs": [world.package("one")]}));
    world.start();
    world.observed("custompackages", NAMESPACE, "app-a", "t1").await;
    let app = world.fake.find("applications", "argocd", "a").expect("was written");
    let urls: Vec<&str> = (0..3).filter_map(|at| app["spec"]["sources"][at]["repoURL"].as_str()).collect();
    assert_eq!(urls[0], urls[2]);
    assert_ne!(urls[0], urls[1]);
    let contents: Vec<String> = urls[..2]
        .iter()
        .map(|url| url.trim_start_matches("https://git/giteaAdmin/").trim_end_matches(".git"))
        .map(|name| world.git.content(name)["f"].clone())
        .collect();
    assert_eq!(contents, ["x", "y"]);
}

#[tokio::test]
async fn applications_of_one_name_in_two_namespaces_keep_their_content() {
    let world = World::new();
    for namespace in ["ns1", "ns2"] {
        let text = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: web, namespace: {namespace}}}\nspec:\n  source: {{repoURL: 'cnoe://m'}}\n"
        );
        world.write(&format!("{namespace}/{namespace}.yaml"), &text);
        world.write(&format!("{namespace}/m/f"), namespace);
    }
    world.create("t1", json!({"customPackageDirs": [world.package("ns1"), world.package("ns2")]}));
    world.start();
    for namespace in ["ns1", "ns2"] {
        world.observed("custompackages", NAMESPACE, &format!("{namespace}-web"), "t1").await;
        let app = world.fake.find("applications", namespace, "web").expect("was written, and its namespace made");
        let url = app["spec"]["source"]["repoURL"].as_str().expect("is text");
        let name = url.trim_start_matches("https://git/giteaAdmin/").trim_end_matches(".git");
        assert_eq!(world.git.content(name)["f"], namespace);
    }
}

#[tokio::test]
async fn a_repository_of_another_application_is_not_shared() {
    let world = World::new();
    // Both names come out as a-b-c.
    for (package, name, directory) in [("one", "a", "b-c"), ("two", "a-b", "c")] {
        let text = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\nspec:\n  source: {{repoURL: 'cnoe://{directory}'}}\n"
        );
        world.write(&format!("{package}/app.yaml"), &text);
        world.write(&format!("{package}/{directory}/f"), package);
    }
    world.create("t1", json!({"customPackageDirs": [world.package("one")]}));
    world.start();
    world.observed("custompackages", NAMESPACE, "app-a", "t1").await;
    world.ask("t2", json!({"customPackageDirs": [world.package("one"), world.package("two")]})).await;
    world.observed("custompackages", NAMESPACE, "app-a-b", "t2").await;
    let refused = world.fake.find("custompackages", NAMESPACE, "app-a-b").expect("is there");
    assert_eq!(refused["status"]["conditions"][0]["reason"], "RepositoryTaken", "{refused}");
    assert!(world.fake.find("applications", "argocd", "a-b").is_none());
}

#[tokio::test]
async fn a_remote_package_is_fetched_and_retried() {
    let world = World::new();
    let file = |text: &str| File { mode: Mode::File, content: Bytes::from(text.to_owned()) };
    let files = [
        ("stack/app.yaml", application("r", "cnoe://../shared")),
        ("stack/nested/app.yaml", application("not-this", "https://h/r")),
        ("shared/cm.yaml", "kind: ConfigMap".to_owned()),
    ];
    let files = files.into_iter().map(|(name, text)| (name.to_owned(), file(&text))).collect();
    world.git.elsewhere.lock().insert("https://host/o/r".to_owned(), files);
    world.git.failures.lock().push(Error::Unreachable { url: "https://host/o/r".into(), why: "for now".into() });
    world.create("t1", json!({"customPackageUrls": ["https://host/o/r//stack?ref=v1"]}));
    world.start();
    world.observed("custompackages", NAMESPACE, "app-r", "t1").await;
    assert!(world.fake.find("custompackages", NAMESPACE, "app-not-this").is_none());
    assert_eq!(world.git.content("idpbuilder-localdev-r-shared")["cm.yaml"], "kind: ConfigMap");
    let repository = world.fake.find("gitrepositories", NAMESPACE, "r-shared").expect("was made");
    assert_eq!(repository["spec"]["source"]["type"], "remote");
    assert_eq!(repository["spec"]["source"]["remoteRepository"]["path"], "shared");
    assert_eq!(repository["spec"]["source"]["remoteRepository"]["ref"], "v1");
}

#[tokio::test]
async fn a_kind_that_nobody_serves_is_said() {
    let world = World::new();
    let text = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: s}\nspec: {generators: []}\n";
    world.write("one/set.yaml", text);
    world.create("t1", json!({"customPackageFiles": [format!("{}/set.yaml", world.package("one"))]}));
    world.start();
    let package = world.observed("custompackages", NAMESPACE, "set-s", "t1").await;
    assert_eq!(package["status"]["synced"], false);
    assert_eq!(package["status"]["conditions"][0]["reason"], "KindNotServed");
}

#[tokio::test]
async fn nothing_is_written_when_nothing_is_asked() {
    let world = World::new();
    world.write("one/app.yaml", &application("a", "cnoe://m"));
    world.write("one/m/cm.yaml", "1");
    world.create("t1", json!({"customPackageDirs": [world.package("one")]}));
    world.start();
    world.observed("custompackages", NAMESPACE, "app-a", "t1").await;
    world.observed("localbuilds", "", "localdev", "t1").await;
    // A restart lists everything anew.
    let writes = |fake: &FakeObjects| {
        [Verb::Create, Verb::Update, Verb::Patch, Verb::Delete]
            .into_iter()
            .flat_map(|verb| {
                ["localbuilds", "custompackages", "gitrepositories", "applications"]
                    .map(|plural| fake.count(verb, plural))
            })
            .sum::<usize>()
    };
    world.tasks.stop(std::time::Duration::from_secs(5)).await;
    let before = writes(&world.fake);
    let again = World {
        fake: world.fake.clone(),
        git: world.git.clone(),
        root: tempfile::tempdir().expect("a directory"),
        tasks: Tasks::default(),
    };
    world.write("one/m/cm.yaml", "edited meanwhile");
    again.start();
    again.ask("t1", json!({"customPackageDirs": [world.package("one")]})).await;
    // The write above, and no other.
    again.fake.until("the caches to be read", |fake| fake.count(Verb::Watch, "gitrepositories") >= 2).await;
    assert_eq!(writes(&again.fake), before + 1);
    assert_eq!(again.git.content("idpbuilder-localdev-a-m")["cm.yaml"], "1");
}
