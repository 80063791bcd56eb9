"""Fetching from a server of our own: with and without Range, broken connections, wrong sums."""

import hashlib
import http.server
import json
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pooch.downloaders import ZenodoRepository

from cloudchamber.errors import InputError
from cloudchamber.source import fetch as module
from cloudchamber.source.fetch import FILES, fetch, list_files

DATA = {name: np.random.default_rng(i).bytes(700_001) for i, name in enumerate(FILES)}


class Server(http.server.ThreadingHTTPServer):
    """What it serves, how it misbehaves, and what it was asked."""

    ranges, breaks, corrupt = True, 0, False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, str | None]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        sums = {name: hashlib.md5(data).hexdigest() for name, data in DATA.items()}
        self.files = {f"/{name}": data for name, data in DATA.items()}
        self.files["/registry.txt"] = "".join(f"{n} md5:{s}\n" for n, s in sums.items()).encode()
        entries = [
            {"key": n, "checksum": f"md5:{s}", "links": {"self": f"{self.url}/{n}"}} for n, s in sums.items()
        ]
        self.files["/api/7050560"] = json.dumps({"files": entries}).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append((self.command, self.path, wanted))
        data = self.server.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        start = 0
        if wanted and self.server.ranges:
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])  # type: ignore[index]
            if start >= len(data):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(data)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if not body:
            return
        if self.server.corrupt and self.path.endswith(".h5"):
            data = data[:-1] + b"x"
        if self.server.breaks and self.path.endswith(".h5"):
            self.server.breaks -= 1
            self.wfile.write(data[start : start + 300_000])
            self.close_connection = True
        else:
            self.wfile.write(data[start:])

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def fetched(folder: Path) -> bool:
    return {p.name: p.read_bytes() for p in folder.iterdir()} == DATA


def test_all_files(tmp_path: Path, server: Server) -> None:
    files = list_files(base_url=server.url)
    assert [file.size_bytes for file in files] == [700_001, 700_001]
    assert fetch(tmp_path / "data", files) == [tmp_path / "data" / name for name in FILES]
    assert fetched(tmp_path / "data")
    before = len(server.asked)
    fetch(tmp_path / "data", files)
    assert len(server.asked) == before


@pytest.mark.parametrize("ranges", [True, False])
def test_broken_connections(tmp_path: Path, server: Server, ranges: bool) -> None:
    server.ranges, server.breaks = ranges, 2
    fetch(tmp_path, list_files(base_url=server.url))
    assert fetched(tmp_path)
    resumed = [wanted for command, path, wanted in server.asked if wanted]
    assert resumed[0] == "bytes=262144-"


def test_a_run_that_was_killed(tmp_path: Path, server: Server) -> None:
    name = FILES[0]
    (tmp_path / f".{name}.part").write_bytes(DATA[name][:650_000])
    (tmp_path / f".{FILES[1]}.part").write_bytes(DATA[FILES[1]])
    fetch(tmp_path, list_files(base_url=server.url))
    assert ("GET", f"/{name}", "bytes=650000-") in server.asked
    assert fetched(tmp_path)


def test_a_part_that_is_too_long(tmp_path: Path, server: Server) -> None:
    (tmp_path / f".{FILES[0]}.part").write_bytes(DATA[FILES[0]] + b"more")
    fetch(tmp_path, list_files(base_url=server.url))
    assert fetched(tmp_path)


def test_a_server_that_always_breaks_off(tmp_path: Path, server: Server) -> None:
    files = list_files(base_url=server.url)
    server.ranges, server.breaks = False, 100
    with pytest.raises(InputError, match=r"train\.h5: expected a whole download"):
        fetch(tmp_path, files)
    assert [path.name for path in tmp_path.iterdir()] == [".train.h5.part"]


def test_a_wrong_sum(tmp_path: Path, server: Server) -> None:
    server.corrupt = True
    with pytest.raises(InputError, match=r"train\.h5: expected the checksum md5"):
        fetch(tmp_path, list_files(base_url=server.url))
    assert list(tmp_path.iterdir()) == []


def test_no_such_file(tmp_path: Path, server: Server) -> None:
    files = list_files(base_url=server.url)
    del server.files["/train.h5"]
    with pytest.raises(InputError, match="404"):
        fetch(tmp_path, files)
    with pytest.raises(InputError, match="404"):
        list_files(base_url=server.url)
    with pytest.raises(InputError, match=r"other\.h5: expected one of test\.h5, train\.h5"):
        list_files(["other.h5"], base_url=server.url)


def test_no_server(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected an archive that answers"):
        list_files(base_url="http://127.0.0.1:9")


def test_too_small_a_disk(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    files = list_files(base_url=server.url)
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(InputError, match="expected 1 MB free on the disk"):
        fetch(tmp_path, files)


def test_by_doi(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive's own listing, of which the sums are taken."""
    monkeypatch.setattr(ZenodoRepository, "base_api_url", f"{server.url}/api")
    repository = ZenodoRepository(module.DOI, "https://zenodo.org/records/7050560")
    monkeypatch.setattr(module, "doi_to_repository", lambda doi, **_: repository)
    fetch(tmp_path, list_files())
    assert fetched(tmp_path)


def test_all_that_an_archive_lists(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ZenodoRepository, "base_api_url", f"{server.url}/api")
    server.files["/api/5163817"] = server.files.pop("/api/7050560")
    repository = ZenodoRepository(module.ENERGY_DOI, "https://zenodo.org/records/5163817")
    monkeypatch.setattr(module, "doi_to_repository", lambda doi, **_: repository)
    for files in (list_files(None, doi=module.ENERGY_DOI), list_files(None, server.url)):
        assert [file.name for file in files] == sorted(FILES)
    fetch(tmp_path, files)
    assert fetched(tmp_path)
    server.files["/registry.txt"] = b""
    with pytest.raises(InputError, match="expected an archive with files, found none"):
        list_files(None, server.url)
