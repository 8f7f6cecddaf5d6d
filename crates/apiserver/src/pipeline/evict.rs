//! `pods/eviction`: deletes a pod if its disruption budget allows it. What the budget allows
//! is taken from it in a transaction, so that evictions that race never take more. Which
//! budgets there should be, and how much they allow, is for others to say.

mod decide;

use api::{Gvr, Reason, Status};
use client::DeleteOptions;
use serde_json::Value;
use store::ListOptions;

use super::server::{ApiServer, Subject, Write, store_error};
use crate::delete_options;
use crate::strategy::conditions::{self, Condition};
use crate::tree::{Tree, meta_text};
use crate::view;

/// How often an eviction starts anew when the pod changes meanwhile.
const ATTEMPTS: usize = 20;
/// When to come again if a budget was too busy.
const BUSY_SECS: u32 = 10;

impl ApiServer {
    /// Evicts a pod, or says why it must stay for now.
    pub(super) async fn evict(
        &self,
        subject: &Subject,
        name: &str,
        eviction: &Tree,
        write: &Write,
    ) -> Result<(), Status> {
        let body = eviction.get("deleteOptions").cloned().unwrap_or_default();
        let mut options = delete_options::read(&body, &|_| None)?;
        options.dry_run |= write.dry_run;
        let Some(pod) = self.evict_unguarded(subject, name, &options).await? else { return Ok(()) };
        let budgets =
            self.subject(&subject.cluster, &Gvr::new("policy", "v1", "poddisruptionbudgets"), &subject.namespace)?;
        let found = self.budgets_of(&budgets, &pod)?;
        let budget = match found.as_slice() {
            [] => return self.end(subject, name, &options).await,
            [one] => one,
            _ => return Err(Status::new(500, Reason::Unknown, decide::MANY)),
        };
        let budget_name = meta_text(budget, "name");
        if !conditions::is_ready(&pod) && decide::lets_unhealthy_go(budget) {
            return self.end_unless_changed(subject, name, &pod, budget_name, &options).await;
        }
        self.take(&budgets, budget_name, name, options.dry_run).await?;
        self.end(subject, name, &options).await
    }

    /// Deletes a pod that no budget guards: one that serves nobody yet or any more. Otherwise
    /// the pod, as it was looked at.
    async fn evict_unguarded(
        &self,
        subject: &Subject,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Option<Tree>, Status> {
        let is_pinned = options.preconditions.resource_version.is_some();
        for _ in 0..ATTEMPTS {
            let pod = self.get(subject, name)?.value(&subject.kind.descriptor)?;
            if !decide::is_unguarded(&pod) {
                return Ok(Some(pod));
            }
            let mut options = options.clone();
            if decide::may_become_guarded(&pod) && !is_pinned {
                options.preconditions.resource_version = Some(meta_text(&pod, "resourceVersion").to_owned());
            }
            match self.end(subject, name, &options).await {
                Err(status) if status.is_conflict() && !is_pinned => {}
                outcome => return outcome.map(|()| None),
            }
        }
        Err(Status::stale(&subject.gvr(), name))
    }

    /// The budgets that are about a pod.
    fn budgets_of(&self, budgets: &Subject, pod: &Tree) -> Result<Vec<Tree>, Status> {
        let page =
            self.store().list(&budgets.prefix(), &ListOptions::default()).map_err(|error| store_error(&error))?;
        let pod = Value::Object(pod.clone());
        Ok(page.entries.iter().filter_map(view::read).filter(|budget| decide::is_about(budget, &pod)).collect())
    }

    /// Takes one disruption from a budget.
    async fn take(&self, budgets: &Subject, budget: &str, pod: &str, dry_run: bool) -> Result<(), Status> {
        let now = self.clock().now_rfc3339();
        let taken = self.rewrite(budgets, budget, dry_run, |budget| decide::take(budget, pod, &now)).await;
        taken.map(drop).map_err(|status| match status.is_conflict() {
            true => {
                let why = format!("couldn't update PodDisruptionBudget \"{budget}\" due to conflicts");
                Status { retry_after_secs: BUSY_SECS, ..Status::new(504, Reason::Timeout, format!("Timeout: {why}")) }
            }
            false => status,
        })
    }

    /// Deletes a pod that is not healthy, unless it has changed since it was looked at: it may
    /// have become healthy, and its budget would have to be asked.
    async fn end_unless_changed(
        &self,
        subject: &Subject,
        name: &str,
        pod: &Tree,
        budget: &str,
        options: &DeleteOptions,
    ) -> Result<(), Status> {
        let is_pinned = options.preconditions.resource_version.is_some();
        let mut pinned = options.clone();
        pinned.preconditions.resource_version = Some(meta_text(pod, "resourceVersion").to_owned());
        match self.end(subject, name, &pinned).await {
            Err(status) if status.is_conflict() && !is_pinned => Err(decide::not_settled(budget)),
            outcome => outcome,
        }
    }

    /// Writes down why the pod goes, and deletes it.
    async fn end(&self, subject: &Subject, name: &str, options: &DeleteOptions) -> Result<(), Status> {
        let mut options = options.clone();
        if !options.dry_run {
            let now = self.clock().now_rfc3339();
            let wanted = options.preconditions.clone();
            let marked = self
                .rewrite(subject, name, false, |pod| {
                    decide::check_preconditions(pod, name, &wanted)?;
                    conditions::set(pod, &EVICTED, &now);
                    Ok(())
                })
                .await?;
            // The condition made a new revision of what the caller meant.
            if let Some(revision) = &mut options.preconditions.resource_version {
                *revision = marked.revision.to_string();
            }
        }
        self.delete(subject, name, &options).await.map(drop)
    }
}

const EVICTED: Condition<'_> = Condition {
    kind: "DisruptionTarget",
    status: "True",
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
};
