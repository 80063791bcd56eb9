"""The direction of imports, and how light they are."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cloudchamber

SOURCE = Path(cloudchamber.__file__).parent
# Packages of one rank do not know each other; each may import from the ranks before it.
RANKS = (
    ("simulate", "source"),
    ("prepare",),
    ("score",),
    ("model",),
    ("train",),
    ("infer",),
    ("show",),
    ("cli",),
)
RANK = {package: rank for rank, packages in enumerate(RANKS) for package in packages}


def imported(path: Path) -> Iterator[str]:
    """Names of modules of ours that a file imports, wherever in it the import stands."""
    package = ["cloudchamber", *path.relative_to(SOURCE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "cloudchamber")


def violations() -> Iterator[str]:
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).parts
        here = parts[0] if len(parts) > 1 else None
        for name in imported(path):
            there = name.split(".")[1] if "." in name else ""
            if there not in RANK or there == here:
                continue
            if here is None:
                yield f"{path.name} is a root module and imports {name}"
            elif here in RANK and RANK[there] >= RANK[here]:
                yield f"{'/'.join(parts)} imports {name}, which is not to its left"


def test_every_package_has_a_rank() -> None:
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")} - {"recipes"}
    assert packages <= set(RANK)


def test_imports_go_from_right_to_left_only() -> None:
    assert list(violations()) == []


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_is_light() -> None:
    heavy = {"torch", "lightning", "numba", "scipy", "matplotlib", "plotly", "h5py", "numpy", "pydantic"}
    assert not loaded_by("import cloudchamber") & heavy


def test_command_line_starts_light() -> None:
    heavy = {"torch", "lightning", "numba", "matplotlib", "plotly", "sklearn"}
    if (SOURCE / "cli" / "__init__.py").exists():
        assert not loaded_by("import cloudchamber.cli") & heavy
