//! Who is asking: a client certificate that the platform's authority signed, a
//! bearer token, or nobody. The TLS layer hands the certificate's identity in;
//! nothing in the request can claim one.

use api::{Gvr, Status};
use contracts::auth::Identity;
use http::HeaderMap;

use crate::ApiServer;

/// The identity of the verified client certificate, put into the request's extensions
/// by the listener.
#[derive(Clone, Debug)]
pub struct Certified(pub Identity);

impl ApiServer {
    /// Who the request is judged as: the caller, or whom the caller acts as.
    pub(crate) async fn authenticate(
        &self,
        certified: Option<&Certified>,
        headers: &HeaderMap,
    ) -> Result<Identity, Status> {
        let caller = self.caller(certified, headers).await?;
        acting_as(caller, headers)
    }

    /// The caller's identity. A token that is not known is refused, not taken for nobody.
    async fn caller(&self, certified: Option<&Certified>, headers: &HeaderMap) -> Result<Identity, Status> {
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

/// The identity that the `Impersonate-` headers ask for. Only whoever may do everything
/// may act as somebody else; and a request to do so is never just taken as the caller's.
fn acting_as(caller: Identity, headers: &HeaderMap) -> Result<Identity, Status> {
    let asked = headers.keys().any(|name| name.as_str().starts_with("impersonate-"));
    if !asked {
        return Ok(caller);
    }
    let text = |value: &http::HeaderValue| value.to_str().map(str::to_owned).ok();
    let Some(user) = headers.get("impersonate-user").and_then(text).filter(|user| !user.is_empty()) else {
        return Err(Status::bad_request(
            "requested to impersonate groups, a uid or extras without impersonating a user",
        ));
    };
    if !caller.is_master() {
        let why = format!(
            "User \"{}\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope",
            caller.user
        );
        return Err(Status::forbidden(&Gvr::new("", "v1", "users"), &user, &why));
    }
    if user == Identity::anonymous().user {
        return Ok(Identity::anonymous());
    }
    let mut groups: Vec<String> = headers.get_all("impersonate-group").iter().filter_map(text).collect();
    groups.push("system:authenticated".to_owned());
    Ok(Identity { user, groups })
}
