"""``cloudchamber simulate voxels``: sparse events of a LArTPC."""

import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from cyclopts import Parameter

from cloudchamber.cli.options import Count, Seed
from cloudchamber.cli.simulate import changed_config, duration
from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cloudchamber.simulate.lartpc.config import VoxelsConfig


def load_voxels_config(setting: str, file: Path | None = None) -> "VoxelsConfig":
    """Return a setting of the simulation, with the keys that a TOML file gives in place of its own.

    Raises
    ------
    InputError
        if there is no such setting, the file is not TOML, or a key or value in it is wrong.
    """
    from cloudchamber.simulate.lartpc.config import SETTINGS

    if setting not in SETTINGS:
        raise InputError("--setting", "", f"one of {', '.join(SETTINGS)}", repr(setting))
    return changed_config(SETTINGS[setting](), file)


def make_event(seed: int, config: "VoxelsConfig", relabel: bool, index: int) -> dict[str, np.ndarray]:
    """Return event ``index`` as the data set holds it, with the authors' second labels if asked for."""
    from cloudchamber.simulate.lartpc.event import simulate_event
    from cloudchamber.source.voxels import table_arrays

    event = simulate_event(seed, index, config)
    if relabel:
        from cloudchamber.prepare.relabel import relabel_events

        event = relabel_events(event)
    return table_arrays(event)


def produce_events(
    path: Path,
    n: int,
    *,
    seed: int,
    config: "VoxelsConfig",
    relabel: bool,
    workers: int,
    overwrite: bool = False,
) -> None:
    """Simulate a data set; the same bytes whatever the number of workers, and what was begun goes on."""
    from cloudchamber.source.produce import produce
    from cloudchamber.source.voxels import VOXELS_AXES, VOXELS_TABLES, VOXELS_UNITS, grid_attributes

    produce(
        path, partial(make_event, seed, config, relabel), n,
        attributes={
            **grid_attributes((config.side_px,) * 3, config.voxel_mm), "seed": seed,
            "config": config.model_dump_json(), "labels": "relabelled" if relabel else "regular",
        },
        workers=workers, description="simulating", units=VOXELS_UNITS, axes=VOXELS_AXES,
        tables=VOXELS_TABLES, overwrite=overwrite,
    )  # fmt: skip


def voxels(
    *,
    n: Annotated[Count, Parameter(name=["-n", "--samples"])],
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    seed: Seed = 0,
    workers: Count = 1,
    setting: str = "bomb-512",
    config: Path | None = None,
    relabel: bool = False,
    overwrite: bool = False,
) -> None:
    """Simulate sparse 3D events of a liquid-argon TPC: particles from a vertex, and crossing muons.

    The same seed gives the same file whatever the number of workers. A run that was interrupted resumes when
    the same command is given again.

    Parameters
    ----------
    n
        Events to simulate.
    output
        The HDF5 file to write.
    seed
        Seed of the random numbers.
    workers
        Processes to work with.
    setting
        bomb-192, bomb-512 or bomb-768, by the voxels along an edge.
    config
        TOML file with keys to change in the setting, such as [muons] count = [0, 0].
    relabel
        Label as Michel or delta only what is joined to a track; the rest becomes shower.
    overwrite
        Replace the file if it exists.
    """
    from cloudchamber.source.writer import check_target

    chosen = load_voxels_config(setting, config)
    resumes = output.with_name(f".{output.name}.parts").is_dir()
    check_target(output, overwrite or resumes)
    make_event(seed, chosen, relabel, 0)
    start = time.perf_counter()
    sizes = [sum(array.nbytes for array in make_event(seed, chosen, relabel, i).values()) for i in range(8)]
    seconds = (time.perf_counter() - start) / len(sizes) * n / workers
    print(
        f"{n} events of {chosen.side_px}^3 voxels, setting {chosen.setting}: about "
        f"{n * sum(sizes) / len(sizes) / 1e6:.1f} MB, about {duration(seconds)} with {workers} workers",
        file=sys.stderr,
    )
    produce_events(output, n, seed=seed, config=chosen, relabel=relabel, workers=workers, overwrite=overwrite)
    print(output)
