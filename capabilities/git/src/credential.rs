//! The Secret `gitea/gitea-credential`, from which CNOE's tools take the
//! administrator's name, password and token. Created once; afterwards whoever
//! edits the Secret decides. The password itself never leaves it.

use std::sync::Arc;

use api::{ClusterName, Status};
use base::Ids;
use client::{Objects, Patch, Target, WriteOptions};
use serde_json::json;

use crate::kinds::{self, ADMINISTRATOR, NAMESPACE};
use crate::records;
use crate::settings::Settings;
use crate::users::record;

/// Password where the owner of the platform asked for a simple one.
const DEV_PASSWORD: &str = "developer";
/// Characters of a random password.
const PASSWORD_CHARS: usize = 40;
/// Bytes of a token; it is written in hexadecimal.
const TOKEN_BYTES: usize = 20;

/// Makes sure that the Secret is there, and has the simple password if that is set.
pub async fn ensure(objects: &Arc<dyn Objects>, settings: &Settings, ids: &Ids) -> Result<(), Status> {
    records::ensure_namespace(&**objects, NAMESPACE).await?;
    let target = Target::namespaced(&ClusterName::root(), &kinds::secrets(), NAMESPACE);
    match objects.get(&target, record::CREDENTIAL).await {
        Ok(secret) => {
            let password = record::decode(&secret).and_then(|data| data.get("password").cloned());
            if !settings.dev_password || password.as_deref() == Some(DEV_PASSWORD) {
                return Ok(());
            }
            let values = record::secret("", &[], &[("password", DEV_PASSWORD.to_owned())]);
            let patch = Patch::Merge(json!({ "data": values["data"] }).to_string().into());
            objects.patch(&target, record::CREDENTIAL, None, patch, WriteOptions::default()).await.map(drop)
        }
        Err(status) if status.is_not_found() => {
            let password = if settings.dev_password { DEV_PASSWORD.to_owned() } else { ids.password(PASSWORD_CHARS) };
            let values =
                [("username", ADMINISTRATOR.to_owned()), ("password", password), ("token", ids.token_hex(TOKEN_BYTES))];
            let secret = record::secret(record::CREDENTIAL, &[("cnoe.io/package-name", "gitea")], &values);
            match records::create_with_namespace(&**objects, &target, &secret).await {
                Err(status) if !status.is_already_exists() => Err(status),
                _ => Ok(()),
            }
        }
        Err(status) => Err(status),
    }
}
