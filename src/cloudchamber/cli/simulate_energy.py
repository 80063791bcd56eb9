"""``cloudchamber simulate energy``: muons in a fine calorimeter."""

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
    from cloudchamber.simulate.calorimeter.config import CalorimeterConfig

TRIED = 24  # muons, at most, that size and time are judged from


def load_energy_config(setting: str, file: Path | None = None) -> "CalorimeterConfig":
    """Return a setting of the simulation, with the keys that a TOML file gives in place of its own.

    Raises
    ------
    InputError
        if there is no such setting, the file is not TOML, or a key or value in it is wrong.
    """
    from cloudchamber.simulate.calorimeter.config import SETTINGS

    if setting not in SETTINGS:
        raise InputError("--setting", "", f"one of {', '.join(SETTINGS)}", repr(setting))
    return changed_config(SETTINGS[setting](), file)


def make_muon(seed: int, config: "CalorimeterConfig", index: int) -> dict[str, np.ndarray]:
    """Return muon ``index`` as the data set holds it."""
    from cloudchamber.simulate.calorimeter.event import simulate_muon
    from cloudchamber.source.energy import muon_arrays

    return muon_arrays(simulate_muon(seed, index, config))


def produce_muons(
    path: Path,
    n: int,
    *,
    seed: int,
    config: "CalorimeterConfig",
    workers: int,
    overwrite: bool = False,
) -> None:
    """Simulate a data set; the same bytes whatever the number of workers, and what was begun goes on."""
    from cloudchamber.simulate.calorimeter.deposit import grid_of
    from cloudchamber.source.energy import ENERGY_AXES, ENERGY_TABLES, ENERGY_UNITS, calorimeter_attributes
    from cloudchamber.source.produce import produce

    produce(
        path, partial(make_muon, seed, config), n,
        attributes={
            **calorimeter_attributes(grid_of(config)), "seed": seed, "config": config.model_dump_json()
        },
        workers=workers, description="simulating", units=ENERGY_UNITS, axes=ENERGY_AXES,
        tables=ENERGY_TABLES, overwrite=overwrite,
    )  # fmt: skip


def energy(
    *,
    n: Annotated[Count, Parameter(name=["-n", "--samples"])],
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    seed: Seed = 0,
    workers: Count = 1,
    setting: str = "paper",
    config: Path | None = None,
    overwrite: bool = False,
) -> None:
    """Simulate muons of 50 GeV to 8 TeV that cross a fine calorimeter in a magnetic field.

    The same seed gives the same file whatever the number of workers. A run that was interrupted resumes when
    the same command is given again.

    Parameters
    ----------
    n
        Muons to simulate.
    output
        The HDF5 file to write.
    seed
        Seed of the random numbers.
    workers
        Processes to work with.
    setting
        paper: 50 x 32 x 32 cells of lead tungstate in 2 T, after arXiv:2107.02119.
    config
        TOML file with keys to change in the setting, such as [beam] fixed_gev = [100, 500].
    overwrite
        Replace the file if it exists.
    """
    from cloudchamber.source.writer import check_target

    chosen = load_energy_config(setting, config)
    resumes = output.with_name(f".{output.name}.parts").is_dir()
    check_target(output, overwrite or resumes)
    make_muon(seed, chosen, 0)
    start = time.perf_counter()
    tried = min(n, TRIED)
    sizes = [sum(array.nbytes for array in make_muon(seed, chosen, i).values()) for i in range(tried)]
    seconds = (time.perf_counter() - start) / tried * n / workers
    print(
        f"{n} muons in {' x '.join(map(str, chosen.shape))} cells (z, x, y), setting {chosen.setting}: "
        f"at most {n * sum(sizes) / tried / 1e6:.1f} MB, about {duration(seconds)} with {workers} workers",
        file=sys.stderr,
    )
    produce_muons(output, n, seed=seed, config=chosen, workers=workers, overwrite=overwrite)
    print(output)
