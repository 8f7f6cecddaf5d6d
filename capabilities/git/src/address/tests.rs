//! Tests of addresses: every spelling of our own, and what only looks like one.
//! They reach no network.

use super::*;

fn address(port: u16, path_routing: bool) -> Address {
    Address::new(&Endpoints {
        name: "localdev".into(),
        protocol: "https".into(),
        host: "cnoe.localtest.me".into(),
        port,
        path_routing,
        api_url: String::new(),
        ca_pem: String::new(),
    })
}

fn check(address: &Address, url: &str, expect: Option<&str>) {
    let got = address.recognise(url).map(|id| format!("{}/{}", id.owner, id.name));
    assert_eq!(got.as_deref(), expect, "{url}");
}

#[test]
fn recognises_every_spelling() {
    for path_routing in [false, true] {
        let on_8443 = address(8443, path_routing);
        for url in [
            "https://gitea.cnoe.localtest.me:8443/giteaAdmin/demo.git",
            "https://gitea.cnoe.localtest.me:8443/giteaAdmin/demo",
            "https://gitea.cnoe.localtest.me:8443/giteaAdmin/demo.git/",
            "https://GITEA.cnoe.LOCALTEST.me:8443/giteaAdmin/demo.git",
            "http://gitea.cnoe.localtest.me:8443/giteaAdmin/demo.git",
            "https://giteaAdmin:secret@gitea.cnoe.localtest.me:8443/giteaAdmin/demo.git",
            "https://cnoe.localtest.me:8443/gitea/giteaAdmin/demo.git",
            "https://cnoe.localtest.me:8443/gitea/giteaAdmin/demo/",
            "https://localhost:8443/gitea/giteaAdmin/demo.git",
            "http://my-gitea-http.gitea.svc.cluster.local:3000/giteaAdmin/demo.git",
        ] {
            check(&on_8443, url, Some("giteaAdmin/demo"));
        }
        for url in [
            "https://gitea.cnoe.localtest.me/giteaAdmin/demo.git",
            "https://gitea.cnoe.localtest.me:9443/giteaAdmin/demo.git",
            "https://cnoe.localtest.me:8443/argocd/giteaAdmin/demo.git",
            "https://cnoe.localtest.me:8443/giteaAdmin/demo.git",
            "https://github.com/cnoe-io/stacks.git",
            "ssh://git@gitea.cnoe.localtest.me:8443/giteaAdmin/demo.git",
            "https://gitea.cnoe.localtest.me:8443/giteaAdmin/demo/extra",
            "https://gitea.cnoe.localtest.me:8443/giteaAdmin/..%2f..",
            "not a url",
        ] {
            check(&on_8443, url, None);
        }
        let on_443 = address(443, path_routing);
        for url in [
            "https://gitea.cnoe.localtest.me/giteaAdmin/demo.git",
            "https://gitea.cnoe.localtest.me:443/giteaAdmin/demo.git",
            "http://gitea.cnoe.localtest.me/giteaAdmin/demo.git",
        ] {
            check(&on_443, url, Some("giteaAdmin/demo"));
        }
    }
    assert_eq!(address(8443, true).base_path(), "/gitea");
    assert_eq!(address(8443, false).base_path(), "");
}
