//! Whether the silence of a topic has a reason: a consumer tries for ever.

use std::time::Duration;

use client::blocking::Cluster;
use types::Monotonic;

use crate::cli::args::Consume;
use crate::cli::connect::{missing, trouble};
use crate::cli::failure::Failure;
use crate::cli::offsets::is_final;
use crate::cli::progress::Progress;

/// How often the cluster is asked whether it and the topic are still there while there are no
/// records.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// How long a cluster that is gone is waited for if the end of the topic is wanted.
const ABSENCE_MAX: Duration = Duration::from_secs(30);

/// A silence that is listened to.
pub(super) struct Silence<'a> {
    args: &'a Consume,
    /// When a record came, or the cluster answered that all is well.
    heard: Monotonic,
    /// Since when the cluster is gone.
    gone_since: Option<Monotonic>,
}

impl<'a> Silence<'a> {
    /// Begins to listen.
    pub(super) fn new(args: &'a Consume, now: Monotonic) -> Self {
        Self {
            args,
            heard: now,
            gone_since: None,
        }
    }

    /// Notes that there is none.
    pub(super) fn broken(&mut self, now: Monotonic) {
        self.heard = now;
    }

    /// Looks, now and then, whether cluster and topic are still there.
    pub(super) fn check(
        &mut self,
        cluster: &mut Cluster,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let now = cluster.now();
        if now.since(self.heard) < CHECK_INTERVAL {
            return Ok(());
        }
        self.heard = now;
        let topic = self.args.topic.as_str();
        match (cluster.refresh(Some(&[topic]), false), self.gone_since) {
            (Ok(()), gone) => {
                if gone.is_some() {
                    self.gone_since = None;
                    progress.note("the cluster answers again");
                }
                let refusal = cluster.metadata().refused.get(topic);
                match refusal.filter(|refusal| is_final(refusal)).cloned() {
                    Some(refusal) => {
                        let subject = topic.to_owned();
                        Err(missing(topic, client::Error::Refused { subject, refusal }))
                    }
                    None => Ok(()),
                }
            }
            (Err(error), Some(since)) if self.args.exit && now.since(since) > ABSENCE_MAX => {
                Err(trouble(&error).into())
            }
            (Err(_), Some(_)) => Ok(()),
            (Err(error), None) => {
                self.gone_since = Some(now);
                let trouble = trouble(&error);
                progress.note(&format!("{trouble}; still trying"));
                Ok(())
            }
        }
    }
}
