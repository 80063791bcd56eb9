"""Finished blocks of a data set in the making: files that carry their own checksum in their name."""

import hashlib
import io
import json
import os
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.files import sha256
from cloudchamber.source.hdf5 import open_hdf5, read_attributes
from cloudchamber.source.writer import Attributes

FINGERPRINT = "of.json"


def write_part(folder: Path, number: int, arrays: dict[str, np.ndarray], *, packed: bool = False) -> None:
    """Write one part, whole or not at all; compressed if it is to be packed.

    Raises
    ------
    InputError
        if the disk is full or the folder is gone.
    """
    buffer = io.BytesIO()
    save = np.savez_compressed if packed else np.savez
    save(buffer, **arrays)  # type: ignore[arg-type]
    data = buffer.getvalue()
    path = folder / f"{number:08d}.{hashlib.sha256(data).hexdigest()}.npz"
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(folder, path.name, "room to write", error.strerror or str(error)) from error


class Parts:
    """The folder of parts of one data set of ``n`` samples, ``block`` in a part."""

    def __init__(self, folder: Path, fingerprint: Attributes, n: int, block: int) -> None:
        self.folder, self.n, self.block = folder, n, block
        self.count = -(-n // block)
        self.fingerprint = json.dumps(dict(fingerprint), sort_keys=True)

    def find(self) -> dict[int, list[Path]]:
        """Return the files there are of each part, in one look at the folder."""
        found: dict[int, list[Path]] = {number: [] for number in range(self.count)}
        for path in sorted(self.folder.glob("[0-9]*.*.npz")):
            number = path.name.split(".")[0]
            if number.isdecimal() and int(number) in found:
                found[int(number)].append(path)
        return found

    def _same(self) -> bool:
        try:
            return (self.folder / FINGERPRINT).read_text(encoding="utf-8") == self.fingerprint
        except (OSError, UnicodeDecodeError):
            return False

    def belong_to(self, path: Path) -> bool:
        """Say whether ``path`` is the finished file of these parts, which only remain to be removed."""
        if not self.folder.is_dir() or not self._same():
            return False
        try:
            with open_hdf5(path) as file:
                found = read_attributes(file, path)
        except InputError:
            return False
        ours = {key: value for key, value in json.loads(self.fingerprint).items() if key != "block"}
        return all(found.get(key) == value for key, value in ours.items())

    def resume(self) -> set[int]:
        """Make the folder, or find in it the parts that are whole; return their numbers.

        Raises
        ------
        InputError
            if the folder cannot be made.
        """
        if self.folder.is_dir() and not self._same():
            print(f"{self.folder}: parts of another data set, discarded", file=sys.stderr)
            self.remove()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for leftover in (*self.folder.glob("*.tmp"), *self.folder.glob(".*.tmp")):
                leftover.unlink()
            temporary = self.folder / f"{FINGERPRINT}.tmp"
            temporary.write_text(self.fingerprint, encoding="utf-8")
            temporary.replace(self.folder / FINGERPRINT)
        except OSError as error:
            found = error.strerror or str(error)
            raise InputError(self.folder, "", "a folder that can be written", found) from error
        return {number for number, paths in self.find().items() if self._first_whole(paths) is not None}

    def _first_whole(self, paths: list[Path]) -> Path | None:
        """Return the first file that has the sum in its name; remove those before it, which have not."""
        for path in paths:
            if sha256(path) == path.name.split(".")[1]:
                return path
            print(f"{path}: damaged, made again", file=sys.stderr)
            path.unlink()
        return None

    def load(self, number: int, paths: list[Path]) -> dict[str, np.ndarray]:
        """Return the arrays of a part from the first of its files that is whole.

        Raises
        ------
        InputError
            if it is missing or damaged.
        """
        expected = "a whole part (start the same command again)"
        path = self._first_whole(paths)
        if path is None:
            raise InputError(self.folder, f"part {number}", expected, "a damaged or missing one")
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise InputError(self.folder, f"part {number}", expected, str(error)) from error

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def remove_if_empty(self) -> None:
        """Remove the folder if no part is finished."""
        if not any(self.folder.glob("*.npz")):
            self.remove()
