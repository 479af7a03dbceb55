//! What the user of a log made of it, kept beside it: the log before it can be deleted then.
//!
//! Storage does not look inside. The file `state` is replaced as a whole; it goes with its log.

use std::io;
use std::path::PathBuf;

use types::ByteCount;

use super::handle::Log;
use crate::error::{Error, Offline};

/// The largest state that is kept.
pub const STATE_SIZE_MAX: ByteCount = ByteCount::mib(1024);

impl Log {
    fn state_path(&self) -> PathBuf {
        self.shared.layout.log(&self.core.id).join("state")
    }

    /// Keeps a state, durably, in place of the one before.
    ///
    /// It must describe nothing that is not durable in the log. On a full disk the old one stays.
    ///
    /// *Errors*: [`Error::Io`] if the disk is full or the state is above [`STATE_SIZE_MAX`], and the log
    /// works on; [`Error::Offline`] for every other failure.
    pub async fn keep_state(&self, state: &[u8]) -> Result<(), Error> {
        if ByteCount::of(state) > STATE_SIZE_MAX {
            let error = io::Error::from(io::ErrorKind::FileTooLarge);
            return Err(Error::io("write", self.state_path())(error));
        }
        // A log that is being removed gets no files any more.
        let permit = self.core.io.acquire(1).await;
        self.core.check_online()?;
        let path = self.state_path();
        let directory = self.shared.layout.log(&self.core.id);
        let kept = async {
            runtime::create_dir_all(&directory).await?;
            runtime::write_file_durably(&path, state).await
        };
        let result = match kept.await {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                Err(Error::io("write", path)(error))
            }
            Err(error) => Err(Offline::into(self.shared.fail("state write", &error))),
        };
        drop(permit);
        result
    }

    /// Returns the state that was kept last, if any was.
    ///
    /// *Errors*: [`Error::Io`]; [`Error::Offline`]: whether there is one is not known then.
    pub async fn kept_state(&self) -> Result<Option<Vec<u8>>, Error> {
        self.core.check_online()?;
        let path = self.state_path();
        match runtime::read_file(&path, STATE_SIZE_MAX).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", path)(error)),
        }
    }
}
