//! The listener of the admin port.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::BytesMut;
use runtime::{Accepted, Chunk, ConnectionLimits, Listener, Queue, Semaphore, Task, TaskGroup};
use server::Acceptor;

use crate::node::Node;
use crate::start_error::StartError;

use super::http::{Parsed, parse, response};
use super::pages::Pages;

/// How many requests are served at a time.
const CONNECTIONS_MAX: u64 = 32;

/// How long one connection may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The admin port of a node; dropping it closes it.
pub struct Admin {
    address: SocketAddr,
    _serving: Task<()>,
}

impl Admin {
    /// Listens on an address, if there is one.
    pub async fn listen(
        node: Rc<Node>,
        acceptor: Rc<Acceptor>,
        address: Option<SocketAddr>,
    ) -> Result<Option<Self>, StartError> {
        let Some(address) = address else {
            return Ok(None);
        };
        let listener = runtime::bind_retrying(address)
            .await
            .map_err(|source| StartError::Listen { address, source })?;
        let address = listener.local_addr();
        let pages = Rc::new(Pages::new(node, acceptor));
        let serving = runtime::spawn(Queue::Background, serve(pages, listener));
        Ok(Some(Self {
            address,
            _serving: serving,
        }))
    }

    /// Returns the address listened on.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

async fn serve(pages: Rc<Pages>, listener: Listener) {
    let connections = TaskGroup::new();
    let room = Semaphore::new(CONNECTIONS_MAX);
    loop {
        let place = room.acquire(1).await;
        let accepted = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::error!(%error, "the admin port failed");
                return;
            }
        };
        let pages = Rc::clone(&pages);
        connections.spawn(Queue::Background, async move {
            let served = runtime::timeout(PATIENCE, answer(&pages, accepted)).await;
            if let Ok(Err(error)) = served {
                tracing::debug!(%error, "an admin connection broke");
            }
            drop(place);
        });
    }
}

async fn answer(pages: &Pages, accepted: Accepted) -> std::io::Result<()> {
    let connection = accepted.into_connection(ConnectionLimits::default())?;
    let (mut reader, mut writer) = connection.split();
    let mut request = BytesMut::new();
    let answer = loop {
        let Some(bytes) = reader.bytes().await? else {
            return Ok(());
        };
        request.extend_from_slice(&bytes);
        match parse(&request) {
            Parsed::Partial => {}
            Parsed::Path(path) => break pages.page(&path).await,
            Parsed::Method => {
                break response("405 Method Not Allowed", "text/plain", "only GET\n");
            }
            Parsed::Bad => {
                break response("400 Bad Request", "text/plain", "not HTTP\n");
            }
        }
    };
    for part in answer {
        writer.queue(Chunk::Memory(part));
    }
    writer.close().await
}
