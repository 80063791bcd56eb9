"""A downloader for pooch that takes up where a connection broke off."""

from pathlib import Path
from typing import Any

import requests

from cloudchamber.errors import InputError
from cloudchamber.progress import progress

TIMEOUT_S = 60
TRIES = 5
PIECE_BYTES = 2**16


class ResumingDownloader:
    """Downloads to ``part`` and asks (HTTP Range) only for what is lacking there.

    pooch has a downloader for HTTP, but it starts anew every time. A server that ignores Range starts the
    file again; pooch checks the sum at the end in either case.
    """

    def __init__(self, name: str, part: Path) -> None:
        self.name, self.part = name, part

    def __call__(self, url: str, output_file: str, pooch: Any, check_only: bool = False) -> bool | None:
        """Fetch ``url`` and move it to ``output_file``, as pooch asks of its downloaders.

        Raises
        ------
        InputError
            if the server says no, or the connection breaks again and again without getting on.
        """
        if check_only:
            return requests.head(url, allow_redirects=True, timeout=TIMEOUT_S).ok
        tries = TRIES
        while tries:
            before = self._size()
            try:
                if self._continue(url):
                    self.part.replace(output_file)
                    return None
                found = "a connection that closed too early"
            except requests.HTTPError as error:
                raise InputError(url, "", "a file to download", str(error)) from error
            except requests.RequestException as error:
                found = str(error)
            tries = TRIES if self._size() > before else tries - 1
        raise InputError(url, "", "a whole download (the same command resumes)", found)

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _continue(self, url: str) -> bool:
        """Download from where the part ends; say whether it is whole now."""
        have = self._size()
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                whole = answer.headers.get("Content-Range", "").rpartition("/")[2] == str(have)
                if not whole:
                    self.part.unlink()
                return whole
            answer.raise_for_status()
            resumed = answer.status_code == requests.codes.partial_content
            start = have if resumed else 0
            length = answer.headers.get("Content-Length", "")
            total = start + int(length) if length.isdigit() else None
            with (
                self.part.open("ab" if resumed else "wb") as stream,
                progress(self.name, total or 0, "bytes") as advance,
            ):
                advance(start)
                for piece in answer.iter_content(PIECE_BYTES):
                    stream.write(piece)
                    advance(len(piece))
        return total is None or self._size() == total
