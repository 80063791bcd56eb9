"""``cloudchamber simulate``: data sets from muons, walls and detectors."""

import json
import sys
import time
import tomllib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import numpy as np
from cyclopts import App, Parameter
from pydantic import BaseModel, ValidationError

from cloudchamber.cli.options import Count, Seed
from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cloudchamber.simulate.walls.config import WallsConfig
    from cloudchamber.simulate.walls.exposure import Exposure

app = App(name="simulate", help="Simulate a data set.")
app.command("cloudchamber.cli.simulate_voxels:voxels", name="voxels")
app.command("cloudchamber.cli.simulate_energy:energy", name="energy")
app.command("cloudchamber.cli.simulate_wires:wires", name="wires")
Config = TypeVar("Config", bound=BaseModel)


def load_config(setting: str, file: Path | None) -> "WallsConfig":
    """Return a setting, with the keys that a TOML file gives in place of its own.

    Raises
    ------
    InputError
        if there is no such setting, the file is not TOML, or a key or value in it is wrong.
    """
    from cloudchamber.simulate.walls.config import SETTINGS

    if setting not in SETTINGS:
        raise InputError("--setting", "", f"one of {', '.join(SETTINGS)}", repr(setting))
    return changed_config(SETTINGS[setting](), file)


def changed_config(config: Config, file: Path | None) -> Config:
    """Return a configuration with the keys that a TOML file, if there is one, gives in place of its own.

    Raises
    ------
    InputError
        if the file is not TOML, or a key or value in it is wrong.
    """
    if file is None:
        return config
    try:
        changes = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(file, "", "a TOML file", getattr(error, "strerror", None) or str(error)) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(file, "", "TOML", str(error)) from error
    try:
        return type(config).model_validate(_merged(config.model_dump(), changes))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(step) for step in first["loc"])
        raise InputError(file, key, f"a valid value ({first['msg']})", repr(first["input"])) from error


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return a table with changes; a table of numbered rows, as a material's elements, changes as a whole."""
    merged = dict(base)
    for key, value in changes.items():
        old = base.get(key)
        if isinstance(old, dict) and isinstance(value, dict) and not any(isinstance(k, int) for k in old):
            value = _merged(old, value)
        merged[key] = value
    return merged


def read_exposure(text: str) -> "Exposure":
    """Return fewest and most muons of ``300:100000``, or of one number twice.

    Raises
    ------
    InputError
        if it is neither, or the numbers are not in order from 1 up.
    """
    parts = text.split(":")
    if not 1 <= len(parts) <= 2 or not all(part.isascii() and part.isdecimal() for part in parts):
        raise InputError("--muons", "", "a number such as 10000 or a range such as 300:100000", repr(text))
    least, most = int(parts[0]), int(parts[-1])
    if not 1 <= least <= most:
        raise InputError("--muons", "", "numbers in rising order, from 1 up", repr(text))
    return least, most


def make_walls(
    seed: int,
    config: "WallsConfig",
    index: int,
    *,
    maps: bool = False,
    muons: "Exposure | None" = None,
) -> dict[str, np.ndarray]:
    """Return volume ``index`` as the data set holds it: ``x0`` in metres, ``targs``, ``maps`` if asked for.

    With ``muons`` their number is drawn for each volume, see
    :func:`cloudchamber.simulate.walls.exposure.draw_count`; else it is the configuration's.
    """
    from cloudchamber.simulate.walls.exposure import draw_count, with_count
    from cloudchamber.simulate.walls.scan import simulate_volume

    if muons is not None:
        config = with_count(config, draw_count(seed, index, muons))
    scan = simulate_volume(seed, index, config, maps)
    more = {name: values.astype(np.float32) for name, values in scan.maps.items()}
    return {"x0": scan.x0_m.astype(np.float32), "targs": scan.walls.astype(np.int64), **more}


def data_attributes(
    seed: int, config: "WallsConfig", *, maps: bool = False, muons: "Exposure | None" = None
) -> dict[str, str | int | float]:
    """Return what a data set of :func:`make_walls` says of itself; with ``muons`` the count is a range."""
    attributes: dict[str, str | int | float] = {
        "task": "walls", "seed": seed, "config": config.model_dump_json()
    }  # fmt: skip
    if muons is not None:
        written = config.model_dump(mode="json")
        written["muons"]["count"] = list(muons)
        attributes["config"] = json.dumps(written, separators=(",", ":"))
        attributes["muons"] = f"{muons[0]}:{muons[1]}, log-uniform"
    if maps:
        attributes["maps"] = "tracks"
    return attributes


@app.command
def walls(
    *,
    n: Annotated[Count, Parameter(name=["-n", "--samples"])],
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    seed: Seed = 0,
    workers: Count = 1,
    setting: str = "challenge-2022",
    config: Path | None = None,
    muons: str | None = None,
    maps: bool = False,
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
    muons
        Muons per volume: a number, or a range such as 300:100000 from which each volume draws its own
        (log-uniform). The setting's 10,000 unless said otherwise.
    maps
        Add the maps that are made of the muons' tracks (poca_count, poca_theta2, score, score_information).
    overwrite
        Replace the file if it exists.
    """
    from cloudchamber.simulate.walls.exposure import draw_count, mean_count, with_count
    from cloudchamber.source.produce import produce
    from cloudchamber.source.writer import check_target

    chosen = load_config(setting, config)
    drawn = read_exposure(muons) if muons is not None else None
    if drawn is not None and drawn[0] == drawn[1]:
        chosen, drawn = with_count(chosen, drawn[0]), None
    resumes = output.with_name(f".{output.name}.parts").is_dir()
    check_target(output, overwrite or resumes)
    make = partial(make_walls, seed, chosen, maps=maps, muons=drawn)
    sample_bytes = sum(array.nbytes for array in make(0).values())
    start = time.perf_counter()
    make(1)
    seconds = (time.perf_counter() - start) * n / workers
    each = f"{chosen.muons.count} muons each"
    if drawn is not None:
        seconds *= mean_count(drawn) / draw_count(seed, 1, drawn)
        each = f"{drawn[0]} to {drawn[1]} muons each (log-uniform)"
    print(
        f"{n} volumes, {each}, setting {chosen.setting}: at most "
        f"{n * sample_bytes / 1e6:.1f} MB, about {duration(seconds)} with {workers} workers",
        file=sys.stderr,
    )
    attributes = data_attributes(seed, chosen, maps=maps, muons=drawn)
    produce(
        output, make, n, attributes=attributes, workers=workers, description="simulating", overwrite=overwrite
    )
    print(output)


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
