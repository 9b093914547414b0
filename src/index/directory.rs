//! A directory of memory-mapped files that are not forced onto the disk.
//!
//! tantivy's own forces some twenty writes a commit, which takes tens of milliseconds, and the index would gain nothing:
//! it can be made again. What a killed process wrote is in the operating system's hands and whole. What a power failure
//! leaves is found out by its checksums, and replaced.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use tantivy::directory::{
    AntiCallToken, Directory, DirectoryLock, FileHandle, Lock, MmapDirectory, TerminatingWrite,
    WatchCallback, WatchHandle, WritePtr,
    error::{DeleteError, LockError, OpenDirectoryError, OpenReadError, OpenWriteError},
};

/// How the name of a file begins that is to replace another.
pub(super) const TEMPORARY: &str = ".tmp";

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Unforced {
    files: MmapDirectory,
    root: PathBuf,
}

impl Unforced {
    /// The directory `root`, which exists.
    pub fn open(root: &Path) -> Result<Self, OpenDirectoryError> {
        Ok(Unforced { files: MmapDirectory::open(root)?, root: root.to_owned() })
    }
}

impl Directory for Unforced {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.files.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.files.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.files.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        match OpenOptions::new().write(true).create_new(true).open(self.root.join(path)) {
            Ok(file) => Ok(BufWriter::new(Box::new(Writer(file)))),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                Err(OpenWriteError::FileAlreadyExists(path.to_owned()))
            }
            Err(e) => Err(OpenWriteError::wrap_io_error(e, path.to_owned())),
        }
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.files.atomic_read(path)
    }

    /// tantivy replaces a file by one thread at a time, so its name makes the temporary one unique.
    fn atomic_write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let temporary = self.root.join(format!("{TEMPORARY}{}", path.display()));
        fs::write(&temporary, content)?;
        fs::rename(temporary, self.root.join(path))
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.files.acquire_lock(lock)
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.files.watch(callback)
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }
}

struct Writer(File);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for Writer {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        Ok(())
    }
}
