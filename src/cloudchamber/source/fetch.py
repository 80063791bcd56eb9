"""Fetching public data sets: size said first, resumed where it broke off, checked before it is used."""

import io
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pooch
import requests
from pooch.downloaders import doi_to_repository

from cloudchamber.errors import InputError
from cloudchamber.source.download import TIMEOUT_S, ResumingDownloader

DOI = "10.5281/zenodo.7050560"
FILES = ("train.h5", "test.h5")
PRIVATE = "test_private.h5"
# Muons in a calorimeter (arXiv:2107.02119), as LUMIN's fold files. The archive itself lists them.
ENERGY_DOI = "10.5281/zenodo.5163817"
REGISTRY = "registry.txt"


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch: where it is, its checksum as pooch writes it (``md5:...``), its size if known."""

    name: str
    url: str
    checksum: str
    size_bytes: int | None


def list_files(
    files: Sequence[str] | None = FILES, base_url: str | None = None, doi: str = DOI
) -> list[RemoteFile]:
    """Ask the archive for addresses, checksums and sizes of files.

    Parameters
    ----------
    files : their names; None stands for all that the archive has.
    base_url : a copy of the archive to use in place of the DOI: a folder on a server with the files and a
        ``registry.txt`` of names and checksums, as pooch reads it.

    Raises
    ------
    InputError
        if the archive cannot be reached or has no such file.
    """
    where = base_url or f"doi:{doi}"
    registry = pooch.create(path=".", base_url="", registry={})
    try:
        if base_url is None:
            repository = doi_to_repository(doi, timeout=TIMEOUT_S)
            repository.populate_registry(registry)
            names = _chosen(files, registry.registry, where)
            urls = {name: str(repository.download_url(name)) for name in names}
        else:
            answer = requests.get(f"{base_url.rstrip('/')}/{REGISTRY}", timeout=TIMEOUT_S)
            answer.raise_for_status()
            registry.load_registry(io.StringIO(answer.text))
            names = _chosen(files, registry.registry, where)
            urls = {name: f"{base_url.rstrip('/')}/{name}" for name in names}
        return [RemoteFile(name, urls[name], registry.registry[name], _size(urls[name])) for name in names]
    except InputError:
        raise
    except (requests.RequestException, OSError, ValueError, KeyError) as error:
        raise InputError(where, "", "an archive that answers", str(error)) from error


def _chosen(files: Sequence[str] | None, registry: dict[str, Any], where: str) -> list[str]:
    if files is None and not registry:
        raise InputError(where, "", "an archive with files", "none")
    names = sorted(registry) if files is None else list(files)
    for name in names:
        if name not in registry:
            raise InputError(
                where, name, f"one of {', '.join(sorted(registry)) or 'no files'}", "no such file"
            )
    return names


def _size(url: str) -> int | None:
    answer = requests.head(
        url, allow_redirects=True, timeout=TIMEOUT_S, headers={"Accept-Encoding": "identity"}
    )
    answer.raise_for_status()
    size = answer.headers.get("Content-Length", "")
    return int(size) if size.isdigit() else None


def _part(folder: Path, name: str) -> Path:
    return folder / f".{name}.part"


def check_room(folder: Path, files: Sequence[RemoteFile]) -> int:
    """Return the bytes still to fetch.

    Raises
    ------
    InputError
        if the disk has less room than that, or the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(folder, "", "a folder to write to", error.strerror or str(error)) from error
    need = 0
    for file in files:
        part = _part(folder, file.name)
        there = part.stat().st_size if part.exists() else 0
        need += 0 if (folder / file.name).exists() else max(0, (file.size_bytes or 0) - there)
    free = shutil.disk_usage(folder).free
    if free < need:
        raise InputError(folder, "", f"{need / 1e6:.0f} MB free on the disk", f"{free / 1e6:.0f} MB")
    return need


def fetch(folder: Path, files: Sequence[RemoteFile]) -> list[Path]:
    """Fetch files into a folder; what is there and right is left alone, what broke off is taken up again.

    Returns
    -------
    Their paths; every one has the checksum that the archive gives.

    Raises
    ------
    InputError
        if a server does not answer or says no, a checksum differs, the disk is full.
    """
    pooch.get_logger().setLevel("WARNING")
    check_room(folder, files)
    paths = []
    for file in files:
        archive = pooch.create(
            path=folder, base_url="", registry={file.name: file.checksum}, urls={file.name: file.url}
        )
        downloader = ResumingDownloader(file.name, _part(folder, file.name))
        try:
            paths.append(Path(archive.fetch(file.name, downloader=downloader)))
        except InputError:
            raise
        except ValueError as error:  # pooch: the hash differs
            raise InputError(file.url, file.name, f"the checksum {file.checksum}", str(error)) from error
        except OSError as error:
            found = error.strerror or str(error)
            raise InputError(folder / file.name, "", "a path that can be written", found) from error
    return paths
