//! Quotas of clients: for whom, of what, how much, and which one is in force.
//!
//! Only the nouns and the rules of looking them up: changing them is decided in `decide`, and who
//! holds a client to its quota is not known here.
//!
//! | module | what |
//! |---|---|
//! | `entity` | for whom a quota is set |
//! | `kind` | what it bounds, and by how much |
//! | `allowance` | which of many quotas is in force for one client |
//! | `filter` | which entities somebody asks about |

mod allowance;
mod entity;
mod filter;
mod kind;

use std::collections::BTreeMap;

pub use allowance::Allowance;
pub use entity::{EntityKind, EntityName, EntityParts, EntityRefusal, QuotaEntity};
pub use filter::{FilterComponent, FilterRefusal, QuotaFilter};
pub use kind::{QuotaKind, QuotaValue, ValueRefusal};

/// The quotas of one entity, in order of their kinds.
pub type Quotas = BTreeMap<QuotaKind, QuotaValue>;
