//! Tests of the whole capability against a real API server, each over both
//! transports: it does what a user does and waits for what must come of it.

// The lint spares functions marked as tests only, not those they share.
#![allow(clippy::unwrap_used)]

mod bed;
mod faults;
mod kubelet;

mod cron_jobs;
mod deployment_commands;
mod deployment_faults;
mod deployments;
mod jobs;
mod nodes;
mod pod_collection;
mod replica_sets;
mod scheduler;
mod autoscaler;
mod metrics;
mod simulated;
mod stateful_sets;
mod disruption;
mod volumes;
mod daemon_sets;
