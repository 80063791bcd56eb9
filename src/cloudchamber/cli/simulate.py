"""``cloudchamber simulate``: data sets from muons, walls and detectors."""

import sys
import time
import tomllib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from cyclopts import App, Parameter
from pydantic import ValidationError

from cloudchamber.cli.options import Count, Seed
from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cloudchamber.simulate.walls.config import WallsConfig

app = App(name="simulate", help="Simulate a data set.")


def load_config(setting: str, file: Path | None) -> "WallsConfig":
    """Return a setting, with the keys that a TOML file gives in place of its own.

    Raises
    ------
    InputError
        if there is no such setting, the file is not TOML, or a key or value in it is wrong.
    """
    from cloudchamber.simulate.walls.config import SETTINGS, WallsConfig

    if setting not in SETTINGS:
        raise InputError("--setting", "", f"one of {', '.join(SETTINGS)}", repr(setting))
    config = SETTINGS[setting]()
    if file is None:
        return config
    try:
        changes = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(file, "", "a TOML file", getattr(error, "strerror", None) or str(error)) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(file, "", "TOML", str(error)) from error
    try:
        return WallsConfig.model_validate(_merged(config.model_dump(), changes))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(step) for step in first["loc"])
        raise InputError(file, key, f"a valid value ({first['msg']})", repr(first["input"])) from error


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        old = base.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def make_walls(seed: int, config: "WallsConfig", index: int) -> dict[str, np.ndarray]:
    """Return volume ``index`` as the data set holds it: ``x0`` in metres and ``targs``, axes (z, x, y)."""
    from cloudchamber.simulate.walls.scan import simulate_volume

    scan = simulate_volume(seed, index, config)
    return {"x0": scan.x0_m.astype(np.float32), "targs": scan.walls.astype(np.int64)}


@app.command
def walls(
    *,
    n: Annotated[Count, Parameter(name=["-n", "--samples"])],
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    seed: Seed = 0,
    workers: Count = 1,
    setting: str = "challenge-2022",
    config: Path | None = None,
    overwrite: bool = False,
) -> None:
    """Simulate volumes of soil with buried walls, scanned by cosmic muons.

    The same seed gives the same file whatever the number of workers. A run that was interrupted resumes when
    the same command is given again.

    Parameters
    ----------
    n
        Volumes to simulate.
    output
        The HDF5 file to write.
    seed
        Seed of the random numbers.
    workers
        Processes to work with.
    setting
        challenge-2022 (as the MODE challenge had it) or full (spectrum, energy loss, real panels).
    config
        TOML file with keys to change in the setting, such as [muons] count = 1000.
    overwrite
        Replace the file if it exists.
    """
    from cloudchamber.source.produce import produce
    from cloudchamber.source.writer import check_target

    chosen = load_config(setting, config)
    resumes = output.with_name(f".{output.name}.parts").is_dir()
    check_target(output, overwrite or resumes)
    make = partial(make_walls, seed, chosen)
    sample_bytes = sum(array.nbytes for array in make(0).values())
    start = time.perf_counter()
    make(1)
    seconds = (time.perf_counter() - start) * n / workers
    print(
        f"{n} volumes, {chosen.muons.count} muons each, setting {chosen.setting}: at most "
        f"{n * sample_bytes / 1e6:.1f} MB, about {_duration(seconds)} with {workers} workers",
        file=sys.stderr,
    )
    attributes: dict[str, str | int | float] = {
        "task": "walls", "seed": seed, "config": chosen.model_dump_json()
    }  # fmt: skip
    produce(
        output, make, n, attributes=attributes, workers=workers, description="simulating", overwrite=overwrite
    )
    print(output)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
