//! Writes an export to a pipe or a device. A reader may make us wait for as long as it likes, and a cancelled export
//! must not wait with it.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::cache::file::error::{CacheError, Result};

/// Opens a pipe or a device and lets `write` write to it.
pub(crate) fn write_to(
    path: &Path,
    check: &dyn Fn() -> Result<()>,
    failed: &dyn Fn(io::Error) -> CacheError,
    write: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if std::fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo()) {
            let file = pipe::open(path, check, failed)?;
            return write(&mut pipe::Patient { file, check });
        }
    }
    let _ = check;
    let mut file = File::options().write(true).open(path).map_err(failed)?;
    write(&mut file)?;
    file.flush().map_err(failed)
}

/// Pipes are opened and written without blocking, so that a cancel is noticed while there is no reader.
#[cfg(unix)]
mod pipe {
    use std::fs::{File, TryLockError};
    use std::io::{self, Write};
    use std::os::unix::fs::OpenOptionsExt as _;
    use std::path::Path;
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, Timespec};
    use rustix::fs::OFlags;
    use rustix::io::Errno;

    use crate::cache::export::destination::busy;
    use crate::cache::file::error::{CacheError, Result};

    /// How often to check for a cancel while waiting for the reader.
    const TICK: Duration = Duration::from_millis(100);

    /// Opens a pipe, waiting until it has a reader.
    pub(crate) fn open(
        path: &Path,
        check: &dyn Fn() -> Result<()>,
        failed: &dyn Fn(io::Error) -> CacheError,
    ) -> Result<File> {
        let mut options = File::options();
        options.write(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        loop {
            check()?;
            match options.open(path) {
                Ok(file) => {
                    return match file.try_lock() {
                        Err(TryLockError::WouldBlock) => Err(busy(path)),
                        // A pipe that cannot be locked is written anyway.
                        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
                    };
                }
                Err(error) if error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) => {
                    std::thread::sleep(TICK);
                }
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// Writes to a pipe as fast as its reader reads.
    pub(crate) struct Patient<'a> {
        pub(crate) file: File,
        pub(crate) check: &'a dyn Fn() -> Result<()>,
    }

    impl Write for Patient<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            loop {
                match self.file.write(bytes) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        (self.check)().map_err(io::Error::other)?;
                        let mut fds = [PollFd::new(&self.file, PollFlags::OUT)];
                        let tick = Timespec::try_from(TICK).map_err(io::Error::other)?;
                        rustix::event::poll(&mut fds, Some(&tick))?;
                    }
                    other => return other,
                }
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
