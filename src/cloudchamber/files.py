"""Files that are whole or absent: written under a temporary name, flushed, then renamed."""

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cloudchamber.errors import InputError


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    for entry in [*path.rglob("*"), path] if path.is_dir() else [path]:
        descriptor = os.open(entry, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; on a clean exit flush it and rename it to ``path``.

    What is made there may be a file or a folder; a folder takes the place of an older one. On an exception
    nothing stands under either name, but for what stood under ``path`` before.

    Raises
    ------
    InputError
        if the path cannot be written or the disk is full (any ``OSError``).
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush(temporary)
        if temporary.is_dir() and path.exists():
            old = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.old")
            path.rename(old)
            temporary.rename(path)
            _remove(old)
        else:
            temporary.replace(path)
    except OSError as error:
        _remove(temporary)
        raise InputError(path, "", "a path that can be written", error.strerror or str(error)) from error
    except BaseException:
        _remove(temporary)
        raise


def write_text(path: Path, text: str) -> None:
    """Write text to ``path`` as a whole."""
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
