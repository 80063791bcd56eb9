"""What the documentation tells the reader to type is run, in order, in an empty folder."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "tutorials").glob("*.md")) + sorted((ROOT / "docs" / "how-to").glob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    language: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = [Block(m[1], m[2], text[: m.start()].count("\n") + 2) for m in BLOCK.finditer(text)]
    return [block for block in found if block.language in ("python", "console")]


def command() -> str:
    return str(Path(sys.executable).with_name("cloudchamber"))


def run_console(block: Block, page: Path) -> None:
    """Run the lines after ``$``."""
    for line in block.text.splitlines():
        if not line.startswith("$ "):
            continue
        program, *arguments = shlex.split(line[2:])
        assert program == "cloudchamber", f"{page.name}: {line}"
        done = subprocess.run(
            [command(), *arguments], capture_output=True, text=True, env=os.environ | {"TERM": "dumb"}
        )
        assert done.returncode == 0, f"{page.name}, line {block.line}: {line}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: page.stem)
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in blocks(page):
        if block.language == "console":
            run_console(block, page)
        else:
            # Blank lines first, so that a traceback has the line numbers of the page.
            source = "\n" * (block.line - 1) + block.text
            exec(compile(source, str(page), "exec"), names)


TOML = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_detector_of_the_how_to_is_a_valid_configuration() -> None:
    import tomllib

    from cloudchamber.simulate.walls import SETTINGS, WallsConfig

    (text,) = TOML.findall((ROOT / "docs" / "how-to" / "own-detector.md").read_text(encoding="utf-8"))
    base = SETTINGS["full"]().model_dump()
    for section, keys in tomllib.loads(text).items():
        for key, value in keys.items():
            base[section][key] = base[section][key] | value if isinstance(value, dict) else value
    assert WallsConfig.model_validate(base).volume.shape == (32, 64, 64)


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")]
    assert [page for page in pages if page not in navigation] == []
