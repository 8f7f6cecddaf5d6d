//! Who is asking: a client certificate that the platform's authority signed, a
//! bearer token, or nobody. The TLS layer hands the certificate's identity in;
//! nothing in the request can claim one.

use api::Status;
use contracts::auth::Identity;
use http::HeaderMap;

use crate::ApiServer;

/// The identity of the verified client certificate, put into the request's extensions
/// by the listener.
#[derive(Clone, Debug)]
pub struct Certified(pub Identity);

impl ApiServer {
    /// The caller's identity. A token that is not known is refused, not taken for nobody.
    pub(crate) async fn authenticate(
        &self,
        certified: Option<&Certified>,
        headers: &HeaderMap,
    ) -> Result<Identity, Status> {
        if let Some(Certified(identity)) = certified {
            return Ok(identity.clone());
        }
        let Some(header) = headers.get(http::header::AUTHORIZATION) else {
            return Ok(Identity::anonymous());
        };
        let text = header.to_str().map_err(|_| Status::unauthorized())?;
        let (scheme, token) = text.split_once(' ').ok_or_else(Status::unauthorized)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Status::unauthorized());
        }
        self.tokens().verify(token.trim()).await.ok_or_else(Status::unauthorized)
    }
}
