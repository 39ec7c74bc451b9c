//! The permissions of a file: what an export takes over from the file that it replaces.

use std::fs::File;
use std::io;
use std::path::Path;

/// Whether a file that lies elsewhere can be moved over a new file beside the target: both are on one device and have
/// the same owner and group, and the new file has no further rights (as a folder's default rights give them).
pub(crate) fn are_alike(elsewhere: &Path, file: &File) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let (Ok(moved), Ok(new)) = (std::fs::metadata(elsewhere), file.metadata()) else { return false };
        (moved.dev(), moved.uid(), moved.gid()) == (new.dev(), new.uid(), new.gid()) && !has_attributes(file)
    }
    #[cfg(not(unix))]
    {
        // Elsewhere a file's rights come from its folder.
        let _ = (elsewhere, file);
        false
    }
}

#[cfg(unix)]
fn has_attributes(file: &File) -> bool {
    #[cfg(target_os = "linux")]
    {
        // A file system without attributes has none.
        rustix::fs::flistxattr(file, &mut [0_u8; 4_096]).map_or_else(
            |error| error != rustix::io::Errno::NOTSUP && error != rustix::io::Errno::OPNOTSUPP,
            |bytes| bytes > 0,
        )
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = file;
        true
    }
}

/// Gives a file the owner, the group, the mode and the access list of another one, as far as the system allows.
pub(crate) fn copy(from: &File, to: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
        let (old, new) = (from.metadata()?, to.metadata()?);
        let mut mode = old.mode() & 0o7777;
        // Only root may change the owner of a file.
        if old.uid() != new.uid() {
            let _ = fchown(to, Some(old.uid()), None);
        }
        let has_group = old.gid() == new.gid() || fchown(to, None, Some(old.gid())).is_ok();
        if !has_group || !copy_access_list(from, to) {
            // The group's bits were meant for different people than those who would get them now.
            mode = mode & 0o7707 | (mode & 0o007) << 3;
        }
        to.set_permissions(std::fs::Permissions::from_mode(mode))
    }
    #[cfg(not(unix))]
    {
        to.set_permissions(from.metadata()?.permissions())
    }
}

/// Copies the access list, if there is one. Returns false if it cannot be copied.
#[cfg(unix)]
fn copy_access_list(from: &File, to: &File) -> bool {
    #[cfg(target_os = "linux")]
    {
        const LIST: &str = "system.posix_acl_access";
        let mut list = [0_u8; 65_536];
        rustix::fs::fgetxattr(from, LIST, &mut list).map_or(true, |bytes| {
            rustix::fs::fsetxattr(to, LIST, &list[..bytes], rustix::fs::XattrFlags::empty()).is_ok()
        })
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (from, to);
        true
    }
}
