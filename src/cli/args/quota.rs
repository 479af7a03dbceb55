//! `riverrun quota`

use clap::Subcommand;

use super::shared::{Bootstrap, OutputFormat, Rate};

/// `riverrun quota`
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Quotas are kept by each broker for itself:\n  \
        producer_byte_rate   bytes produced a second\n  \
        consumer_byte_rate   bytes fetched a second\n  \
        request_percentage   time of the broker; 100 is one core\n  \
        controller_mutation_rate\n                       \
        partitions made and deleted a second\n\n\
        Of addresses (--ip, --default-ip) there is one only:\n  \
        connection_creation_rate\n                       \
        connections made a second\n\n\
        A riverrun node keeps and tells the last two, and does not enforce them.\n\n\
        For instance:\n  \
        riverrun quota set --client-id loader producer_byte_rate=1000000\n  \
        riverrun quota set --default-client-id request_percentage=50"
)]
pub struct Quota {
    /// What to do with which quotas.
    #[command(subcommand)]
    pub action: QuotaAction,
    /// How to reach the cluster.
    #[command(flatten)]
    pub bootstrap: Bootstrap,
    /// How to print the answer
    #[arg(short, long, value_enum, default_value = "text", global = true)]
    pub output: OutputFormat,
}

/// What may be done with quotas.
#[derive(Debug, Subcommand)]
pub enum QuotaAction {
    /// List all that have quotas
    List,
    /// Show the quotas set for exactly this user, client id, both, or address
    Describe {
        /// Whose quotas.
        #[command(flatten)]
        entity: Entity,
    },
    /// Set quotas
    Set {
        /// Whose quotas.
        #[command(flatten)]
        entity: Entity,
        /// Quotas and what they are set to
        #[arg(required = true, value_name = "QUOTA=NUMBER")]
        quotas: Vec<Rate>,
    },
    /// Take quotas away
    Unset {
        /// Whose quotas.
        #[command(flatten)]
        entity: Entity,
        /// Quotas
        #[arg(required = true, value_name = "QUOTA")]
        quotas: Vec<String>,
    },
}

/// Whose quotas are meant.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("entity").required(true).multiple(true))]
pub struct Entity {
    /// A user
    #[arg(long, value_name = "NAME", group = "entity", conflicts_with_all = ["default_user", "ip", "default_ip"])]
    pub user: Option<String>,
    /// Every user without quotas of their own
    #[arg(long, group = "entity", conflicts_with_all = ["ip", "default_ip"])]
    pub default_user: bool,
    /// The clients that call themselves so
    #[arg(long, value_name = "NAME", group = "entity", conflicts_with_all = ["default_client_id", "ip", "default_ip"])]
    pub client_id: Option<String>,
    /// Every client id without quotas of its own
    #[arg(long, group = "entity", conflicts_with_all = ["ip", "default_ip"])]
    pub default_client_id: bool,
    /// An address that clients connect from
    #[arg(
        long,
        value_name = "ADDRESS",
        group = "entity",
        conflicts_with = "default_ip"
    )]
    pub ip: Option<String>,
    /// Every address without quotas of its own
    #[arg(long, group = "entity")]
    pub default_ip: bool,
}
