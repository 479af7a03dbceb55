//! Holding clients to their quotas: who may use how much, what was used, how long to wait.
//!
//! ```text
//! a request's shard                              the shard that keeps the holder's buckets
//!   Meter::of      the image names the allowances
//!   Meter::charge  ──── Ask::Charge ───────────►   Usage::charge: fills a bucket
//!                  ◄─── how long to wait ───────
//!   the session is muted; the answer tells the client
//! ```
//!
//! Connections of one client live on many shards, its quota is the node's: each holder has one
//! shard that counts for it, so that the count is exact without a lock (decision 0014). A request
//! of a client without a quota crosses to nobody, and while no quota is set at all it costs one
//! comparison.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use controller::quota::{Allowance, QuotaEntity, QuotaKind};
use server::quota::{Buckets, WINDOW};
use server::{Answer, Reply, Response, Session};
use types::limits::{QUOTA_BUCKETS_MAX, QUOTA_NAME_LENGTH_MAX};
use types::{ByteCount, Latencies};

use crate::crossing::{self, Ask};
use crate::shard::Shard;

/// Who everybody is without security.
const ANONYMOUS: &str = "ANONYMOUS";

/// What a holder has used.
#[derive(Debug)]
pub struct Charge {
    /// Of what.
    pub kind: QuotaKind,
    /// Who.
    pub holder: QuotaEntity,
    /// How much it may use a second.
    pub rate: f64,
    /// How much it has used now.
    pub amount: f64,
}

/// What the holders that one shard counts for have used.
pub struct Usage {
    buckets: RefCell<Buckets<(QuotaKind, QuotaEntity)>>,
    waits: RefCell<BTreeMap<QuotaKind, Latencies>>,
}

impl Default for Usage {
    fn default() -> Self {
        Self {
            buckets: RefCell::new(Buckets::new(QUOTA_BUCKETS_MAX)),
            waits: RefCell::new(BTreeMap::new()),
        }
    }
}

impl Usage {
    /// Counts what was used and returns how long its holder must wait.
    pub fn charge(&self, charge: Charge) -> Duration {
        let Charge {
            kind,
            holder,
            rate,
            amount,
        } = charge;
        let now = runtime::now();
        let mut buckets = self.buckets.borrow_mut();
        let wait = buckets.charge(now, (kind, holder), rate, amount);
        if wait > Duration::ZERO {
            let mut waits = self.waits.borrow_mut();
            waits.entry(kind).or_default().record(wait);
        }
        wait
    }

    /// Returns how long clients were told to wait, by the kind of quota.
    pub fn waits(&self) -> BTreeMap<QuotaKind, Latencies> {
        self.waits.borrow().clone()
    }
}

/// Measures what one request uses; nothing if its client has no quota.
#[derive(Clone)]
pub struct Meter(Option<Rc<Metered>>);

struct Metered {
    shard: Rc<Shard>,
    session: Rc<Session>,
    produced: Option<Allowance>,
    fetched: Option<Allowance>,
    time: Option<Allowance>,
    /// Time that the request has taken and that is not charged yet.
    busy: Cell<Duration>,
}

impl Meter {
    /// Finds the quotas of whoever sent the latest request of a session.
    ///
    /// *Cost*: one comparison while no quota is set at all.
    pub fn of(shard: &Rc<Shard>, session: &Rc<Session>) -> Self {
        let image = shard.image();
        if image.quotas().is_empty() {
            return Self(None);
        }
        let client_id = session.client_id_raw();
        let client_id = &client_id[..client_id.floor_char_boundary(QUOTA_NAME_LENGTH_MAX)];
        let allowance = |kind| image.allowance(ANONYMOUS, client_id, kind);
        let produced = allowance(QuotaKind::ProducerByteRate);
        let fetched = allowance(QuotaKind::ConsumerByteRate);
        let time = allowance(QuotaKind::RequestPercentage);
        if produced.is_none() && fetched.is_none() && time.is_none() {
            return Self(None);
        }
        Self(Some(Rc::new(Metered {
            shard: Rc::clone(shard),
            session: Rc::clone(session),
            produced,
            fetched,
            time,
            busy: Cell::new(Duration::ZERO),
        })))
    }

    /// Returns whether the client has no quota at all.
    pub fn is_off(&self) -> bool {
        self.0.is_none()
    }

    /// Charges a produce request and returns how long the client must wait.
    pub async fn produced(&self, size: ByteCount) -> Duration {
        match &self.0 {
            Some(metered) => metered.charge(metered.produced.as_ref(), units(size)).await,
            None => Duration::ZERO,
        }
    }

    /// Charges what a fetch found and returns how long the client must wait.
    pub async fn fetched(&self, size: ByteCount) -> Duration {
        match &self.0 {
            Some(metered) => metered.charge(metered.fetched.as_ref(), units(size)).await,
            None => Duration::ZERO,
        }
    }

    /// Returns how much one fetch may find at most, so that nobody waits for hours afterwards.
    ///
    /// *Source*: Kafka's `ClientQuotaManager.maxValueInQuotaWindow`.
    pub fn fetch_size_max(&self) -> Option<ByteCount> {
        let allowance = self.0.as_ref()?.fetched.as_ref()?;
        let bytes = allowance.value.get() * WINDOW.as_secs_f64();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "above zero, and the largest number bounds as little as a larger one would"
        )]
        let bytes = bytes as u64;
        Some(ByteCount(bytes))
    }

    /// Charges the time that the request has taken since it was charged last, and returns how long
    /// the client must wait.
    pub async fn time(&self) -> Duration {
        match &self.0 {
            Some(metered) if metered.time.is_some() => {
                let busy = metered.busy.take().as_secs_f64();
                metered.charge(metered.time.as_ref(), busy).await
            }
            _ => Duration::ZERO,
        }
    }

    /// Measures how long the shard works on a future; waiting is not work.
    pub async fn timed<F: Future>(&self, future: F) -> F::Output {
        let Some(metered) = self.0.as_ref().filter(|metered| metered.time.is_some()) else {
            return future.await;
        };
        let mut future = pin!(future);
        poll_fn(|context| {
            let begun = runtime::now();
            let polled: Poll<F::Output> = future.as_mut().poll(context);
            let took = runtime::now().since(begun);
            metered.busy.update(|busy| busy + took);
            polled
        })
        .await
    }

    /// Charges the time of a request whose reply is made, and of an answer that comes later; tells
    /// the client how long to wait if the answer has not told yet.
    pub async fn settle(&self, reply: Reply) -> Reply {
        let meter = self.clone();
        match reply {
            Reply::Later(answer) => Reply::later(async move {
                let answer = meter.timed(answer).await;
                let wait = meter.time().await;
                match answer {
                    Answer::Response(response) => Answer::Response(told(response, wait)),
                    answer => answer,
                }
            }),
            Reply::Now(response) => Reply::Now(told(response, self.time().await)),
            reply => {
                self.time().await;
                reply
            }
        }
    }
}

fn told(mut response: Response, wait: Duration) -> Response {
    if wait > Duration::ZERO {
        response.tell_throttle(throttle_ms(wait));
    }
    response
}

impl Metered {
    /// Counts at the holder's shard, and mutes the connection if it must wait.
    async fn charge(&self, allowance: Option<&Allowance>, amount: f64) -> Duration {
        let Some(allowance) = allowance else {
            return Duration::ZERO;
        };
        let charge = Charge {
            kind: allowance.kind,
            holder: allowance.holder.clone(),
            rate: rate(allowance),
            amount,
        };
        let keeper = self.shard.router.keeper(&charge.holder);
        let wait = if keeper == self.shard.id() {
            self.shard.usage.charge(charge)
        } else {
            let reply = self.shard.mesh.call(keeper, Ask::Charge(charge)).await;
            match reply.await {
                Ok(crossing::Answer::Charged(wait)) => wait,
                // The node is stopping: nobody counts any more.
                Ok(_) | Err(_) => Duration::ZERO,
            }
        };
        if wait > Duration::ZERO {
            self.session.mute(runtime::now().after(wait));
        }
        wait
    }
}

/// How much a second: bytes, or seconds of a shard.
fn rate(allowance: &Allowance) -> f64 {
    match allowance.kind {
        QuotaKind::RequestPercentage => allowance.value.get() / 100.0,
        _ => allowance.value.get(),
    }
}

/// A request and an answer are below 4 GiB: frames are bounded.
fn units(size: ByteCount) -> f64 {
    f64::from(u32::try_from(size.0).unwrap_or(u32::MAX))
}

/// Returns a time to wait as answers tell it, never shorter.
pub fn throttle_ms(wait: Duration) -> i32 {
    let ms = wait.as_nanos().div_ceil(1_000_000);
    i32::try_from(ms).unwrap_or(i32::MAX)
}
