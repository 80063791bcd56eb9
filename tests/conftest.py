"""Fixtures for all tests."""

from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parents[1]

settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder with the reference files; they are not part of the repository."""
    folder = REPOSITORY.parent / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip("the reference files (../shared/reference) are not here")
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in the last lines what was not tested for want of a browser or of reference files."""
    skipped = terminalreporter.stats.get("skipped", [])
    for mark, lacking in (
        ("browser", "a system Chromium"),
        ("reference", "the files in ../shared/reference"),
    ):
        count = sum(mark in report.keywords for report in skipped)
        if count:
            terminalreporter.write_line(
                f"NOT TESTED: {count} {mark} tests were skipped for want of {lacking}"
            )
