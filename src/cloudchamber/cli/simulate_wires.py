"""``cloudchamber simulate wires``: readouts of the wires of a LArTPC."""

import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter
from cyclopts.validators import Number

from cloudchamber.cli.options import Count, Seed
from cloudchamber.cli.simulate import changed_config, duration
from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cloudchamber.simulate.wires.config import WiresConfig

Factor = Annotated[float, Parameter(validator=Number(gt=0, lte=100))]
FactorOrNone = Annotated[float, Parameter(validator=Number(gte=0, lte=100))]
BLOCK = 4  # readouts in a part


def load_wires_config(setting: str, file: Path | None = None) -> "WiresConfig":
    """Return a setting of the simulation, with the keys that a TOML file gives in place of its own.

    Raises
    ------
    InputError
        if there is no such setting, the file is not TOML, or a key or value in it is wrong.
    """
    from cloudchamber.simulate.wires.config import SETTINGS

    if setting not in SETTINGS:
        raise InputError("--setting", "", f"one of {', '.join(SETTINGS)}", repr(setting))
    return changed_config(SETTINGS[setting](), file)


def read_range(text: str, option: str, whole: bool = False) -> tuple[float, float]:
    """Return least and most of ``0.3:7``, or of one number twice.

    Raises
    ------
    InputError
        if it is neither, or the numbers are negative or not in order.
    """
    parts = text.split(":")
    kind = "a whole number or range such as 60:70" if whole else "a number or range such as 0.3:7"
    try:
        numbers = [float(int(part) if whole else float(part)) for part in parts]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 2 or not 0 <= numbers[0] <= numbers[-1] < np.inf:
        raise InputError(option, "", kind, repr(text))
    return numbers[0], numbers[-1]


def with_options(config: "WiresConfig", changes: dict[str, Any]) -> "WiresConfig":
    """Return a configuration with changes of the form ``section.key``; None leaves a key as it is.

    Raises
    ------
    InputError
        if a value is not possible.
    """
    from pydantic import ValidationError

    values = config.model_dump()
    for name, value in changes.items():
        if value is not None:
            section, _, key = name.rpartition(".")
            (values[section] if section else values)[key] = value
    try:
        return type(config).model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(step) for step in first["loc"])
        raise InputError("simulate wires", key, f"a valid value ({first['msg']})", "another") from error


def make_readout(seed: int, config: "WiresConfig", truth: bool, index: int) -> dict[str, np.ndarray]:
    """Return readout ``index`` as the data set holds it, without truth if so asked."""
    from cloudchamber.simulate.wires.event import simulate_wires
    from cloudchamber.source.wires import wire_arrays
    from cloudchamber.wire_events import WireEvents

    event = simulate_wires(seed, index, config)
    if not truth:
        event = WireEvents(event.readout, event.code, hit_offsets=event.hit_offsets, hits=event.hits)
    return wire_arrays(event)


def produce_readouts(
    path: Path,
    n: int,
    *,
    seed: int,
    config: "WiresConfig",
    truth: bool = True,
    workers: int = 1,
    overwrite: bool = False,
) -> None:
    """Simulate a data set; the same bytes whatever the number of workers, and what was begun goes on."""
    from cloudchamber.simulate.wires.digitise import readout_of
    from cloudchamber.source.produce import produce
    from cloudchamber.source.wires import WIRES_AXES, WIRES_TABLES, WIRES_UNITS, readout_attributes

    produce(
        path, partial(make_readout, seed, config, truth), n,
        attributes={
            **readout_attributes(readout_of(config)), "seed": seed, "config": config.model_dump_json(),
            "readout": config.readout,
        },
        workers=workers, block=BLOCK, description="simulating", units=WIRES_UNITS, axes=WIRES_AXES,
        tables=WIRES_TABLES, packed=True, overwrite=overwrite,
    )  # fmt: skip


def wires(
    *,
    n: Annotated[Count, Parameter(name=["-n", "--samples", "--n"])],
    output: Annotated[Path, Parameter(name=["-o", "--output", "--out"])],
    seed: Seed = 0,
    workers: Count = 1,
    setting: str = "protodune-sp",
    config: Path | None = None,
    readout: Literal["beam-side", "all"] | None = None,
    signal: Literal["adc", "electrons"] | None = None,
    rebin: Count | None = None,
    momentum: str | None = None,
    beam: Annotated[int, Parameter(validator=Number(gte=0, lte=16))] | None = None,
    cosmics: str | None = None,
    halo: str | None = None,
    noise: FactorOrNone = 1.0,
    gain: Factor = 1.0,
    lifetime: Factor = 1.0,
    diffusion: FactorOrNone = 1.0,
    truth: bool = True,
    overwrite: bool = False,
) -> None:
    """Simulate readouts of the collection wires of a liquid-argon TPC: beam, halo and cosmic muons.

    A readout is the image of a trigger: a particle of the beam with all that it makes, over muons that come
    at any time of the 3 ms. It holds the signal, hits, and the truth per pixel: beam, not-beam or background;
    track or electromagnetic; Michel electrons; points of interest; the particle. The same seed gives the same
    file whatever the number of workers. A run that was interrupted resumes when the same command is given
    again.

    Parameters
    ----------
    n
        Readouts to simulate.
    output
        The HDF5 file to write.
    seed
        Seed of the random numbers.
    workers
        Processes to work with.
    setting
        protodune-sp: 6 APAs in the beam of 7 GeV/c.
    config
        TOML file with keys to change in the setting, such as [cosmics] count = [0, 0].
    readout
        beam-side (1440 wires, the default) or all (5760 wires, both faces of all APAs).
    signal
        adc (codes above the pedestal, the default) or electrons (deconvolved, per tick).
    rebin
        Ticks of a pixel, of which the mean is taken: 6, a byte each, unless said otherwise; 1 keeps all.
    momentum
        Momentum of the beam in GeV/c, 7 unless said otherwise, or a range such as 0.3:7.
    beam
        Particles of the beam in a readout, 1 unless said otherwise.
    cosmics
        Cosmic muons over both drift volumes, 60:70 unless said otherwise.
    halo
        Muons of the halo over both drift volumes, 1:5 unless said otherwise.
    noise
        Factor on the noise, to study what depends on it.
    gain
        Factor on the gain of the signal, likewise.
    lifetime
        Factor on the lifetime of electrons in the argon, likewise.
    diffusion
        Factor on the diffusion of electrons, along and across the drift, likewise.
    truth
        Write the truth; without it a file is like data.
    overwrite
        Replace the file if it exists.
    """
    from cloudchamber.source.writer import check_target

    chosen = load_wires_config(setting, config)
    drift, electronics = chosen.drift, chosen.electronics
    chosen = with_options(
        chosen,
        {
            "readout": readout, "signal": signal, "rebin": rebin, "beam.count": beam,
            "beam.momentum_gev": None if momentum is None else read_range(momentum, "--momentum"),
            "cosmics.count": None if cosmics is None else read_range(cosmics, "--cosmics", whole=True),
            "halo.count": None if halo is None else read_range(halo, "--halo", whole=True),
            "noise.scale": chosen.noise.scale * noise, "electronics.gain": electronics.gain * gain,
            "drift.lifetime_ms": drift.lifetime_ms * lifetime,
            "drift.longitudinal_cm2_s": drift.longitudinal_cm2_s * diffusion,
            "drift.transverse_cm2_s": drift.transverse_cm2_s * diffusion,
        },
    )  # fmt: skip
    resumes = output.with_name(f".{output.name}.parts").is_dir()
    check_target(output, overwrite or resumes)
    first = make_readout(seed, chosen, truth, 0)  # compiles
    start = time.perf_counter()
    make_readout(seed, chosen, truth, 1)
    seconds = (time.perf_counter() - start) * n / workers
    _, n_wires, drifts = first["code"].shape
    print(
        f"{n} readouts of {n_wires} wires x {drifts} drift bins, setting {chosen.setting}: about "
        f"{n * _stored_bytes(first) / 1e6:.0f} MB, about {duration(seconds)} with {workers} workers",
        file=sys.stderr,
    )
    produce_readouts(output, n, seed=seed, config=chosen, truth=truth, workers=workers, overwrite=overwrite)
    print(output)


def _stored_bytes(arrays: dict[str, np.ndarray]) -> int:
    """Return about what a readout takes in a file."""
    import zlib

    return int(1.2 * sum(len(zlib.compress(array.tobytes(), 1)) for array in arrays.values()))
