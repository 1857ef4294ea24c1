"""Files that hold key material: only their owner may read them, and a crash leaves the old or the new content."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from satqkd.errors import InputError

__all__ = ["lock_file", "private_folder", "read_private", "sync_folder", "unlock", "wipe", "write_private"]


def wipe(buffer: bytearray) -> None:
    """Overwrite ``buffer`` with zeros.

    Examples
    --------
    >>> key = bytearray(b"secret")
    >>> wipe(key)
    >>> bytes(key)
    b'\\x00\\x00\\x00\\x00\\x00\\x00'
    """
    buffer[:] = bytes(len(buffer))


def sync_folder(folder: Path) -> None:
    """Make the folder's list of files, renames included, last through a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def private_folder(path: str | Path) -> None:
    """Make a folder of mode 700, and those above it; one that is there stays as it is.

    Parameters
    ----------
    path : str or Path
        The folder.

    Raises
    ------
    InputError
        If it cannot be made.
    """
    try:
        Path(path).mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be made: {(error.strerror or str(error)).lower()}") from None


def write_private(path: str | Path, data: bytes | bytearray) -> None:
    """Write a file of mode 600, all of it or nothing.

    Parameters
    ----------
    path : str or Path
        The file; one that is there is replaced.
    data : bytes or bytearray
        The content.

    Raises
    ------
    InputError
        If the folder does not exist.

    Notes
    -----
    The content goes to a new file in the same folder, is synchronised with the disk, and takes the name by a rename.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise InputError(f"{target}: folder {target.parent} does not exist")
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # mode 600 from the start
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def read_private(path: str | Path) -> bytearray:
    """Content of a file that only its owner may read.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    bytearray
        Its content, to be given to :func:`wipe` when used.

    Raises
    ------
    InputError
        If there is no such file, or the group or others have any right to it.
    """
    target = Path(path)
    try:
        mode = target.stat().st_mode
        data = bytearray(target.read_bytes())
    except OSError as error:
        raise InputError(f"{target}: {(error.strerror or 'cannot be read').lower()}") from None
    if stat.S_IMODE(mode) & 0o077:
        wipe(data)
        raise InputError(
            f"{target}: mode {stat.S_IMODE(mode):o} lets others at the key, must be 600 (chmod 600 {target})"
        )
    return data


def lock_file(path: Path, purpose: str) -> int:
    """Lock a file against other processes until :func:`unlock`, or the end of this process.

    Parameters
    ----------
    path : Path
        The file; made, empty, if it is not there.
    purpose : str
        What it is or stands for, for the error.

    Returns
    -------
    int
        Handle for :func:`unlock`.

    Raises
    ------
    InputError
        If another process holds the lock.

    Notes
    -----
    POSIX only (``flock``): the lock ends with the process, however it ends.
    """
    import fcntl

    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise InputError(f"{path}: the {purpose} is in use by another process") from None
    return handle


def unlock(handle: int) -> None:
    """Give back a lock of :func:`lock_file`."""
    os.close(handle)
