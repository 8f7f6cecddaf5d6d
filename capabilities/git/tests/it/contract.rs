//! The contract suite on the embedded implementation.

use crate::harness::Server;

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_server_keeps_the_contract() {
    let server = Server::start().await;
    let (repositories, sources) = (server.repositories(), server.sources());
    contracts::git::suite::check(&*repositories, &*sources, "giteaAdmin").await;
    for name in ["suite-content", "suite-races", "suite-changes"] {
        crate::harness::run(&server.bare(name), &["fsck", "--strict"]).await;
    }
}
