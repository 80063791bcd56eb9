"""``cloudchamber plan``: what exposure, detector and knowledge of momenta buy, as curves with errors."""

import shlex
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from cloudchamber.cli.options import Count, Seed, available_processors
from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cloudchamber.infer.bundle import Bundle
    from cloudchamber.infer.planning import PointWork
    from cloudchamber.score.planning import Plan, PlanPoint
    from cloudchamber.simulate.walls.config import WallsConfig
    from cloudchamber.simulate.walls.variations import Variation

    Work = tuple[Variation, PointWork, dict[str, Bundle]]

app = App(name="plan", help="Plan a scan: the score against exposure, detector and momentum.")
NONE = "none"
VOLUMES, QUICK_VOLUMES = 200, 24


def _choose_scans(names: str | None) -> list[str]:
    from cloudchamber.simulate.walls.variations import SCANS

    known = [scan.name for scan in SCANS]
    if names is None:
        return known
    chosen = [name.strip() for name in names.split(",")]
    for name in chosen:
        if name not in known:
            raise InputError("--scans", "", f"some of {', '.join(known)}, with commas between", repr(name))
    return [name for name in known if name in chosen]


def _load(option: str, names: str) -> dict[str, "Bundle"]:
    """Load bundles named with commas between; nothing for ``none``."""
    from cloudchamber.infer.bundle import load_bundle

    if names.strip() == NONE:
        return {}
    found: dict[str, Bundle] = {}
    for name in (part.strip() for part in names.split(",")):
        if not name:
            raise InputError(option, "", "names of bundles with commas between, or none", repr(names))
        bundle = load_bundle(name)
        if bundle.config.task != "walls":
            raise InputError(option, name, "a bundle for walls", f"one for {bundle.config.task}")
        if bundle.config.name in found:
            raise InputError(option, "", "every bundle once", f"{bundle.config.name} more than once")
        found[bundle.config.name] = bundle
    return found


def _simulate(path: Path, config: "WallsConfig", n: int, maps: bool, *, seed: int, workers: int) -> None:
    from cloudchamber.cli.simulate import data_attributes, make_walls
    from cloudchamber.source.produce import produce

    produce(
        path, partial(make_walls, seed, config, maps=maps), n, workers=workers,
        attributes=data_attributes(seed, config, maps=maps), description="simulating",
    )  # fmt: skip


def _announce(folder: Path, work: "list[Work]", workers: int) -> None:
    """Say how much there is to do, and about how long it takes."""
    from cloudchamber.cli.simulate import make_walls
    from cloudchamber.infer.planning import read_score
    from cloudchamber.simulate.walls.exposure import with_count

    todo = {
        point.key: point
        for _, point, bundles in work
        if any(read_score(folder, point, bundle) is None for bundle in bundles.values())
    }
    said = f"plan: {len(work)} points of curves, {len(todo)} of them to simulate"
    if todo:
        sample = with_count(next(iter(todo.values())).config, 2000)
        make_walls(0, sample, 0, maps=True)
        began = time.perf_counter()
        make_walls(0, sample, 1, maps=True)
        muons = sum(point.n * point.config.muons.count for point in todo.values())
        minutes = (time.perf_counter() - began) / 2000 * muons / workers / 60
        said += f" ({muons / 1e6:.1f} million muons), about {minutes:.1f} min with {workers} workers"
    print(said, file=sys.stderr)


@app.command
def walls(
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    bundles: str = "walls/exposures",
    full_bundles: str = "walls/full",
    scans: str | None = None,
    n: Annotated[Count | None, Parameter(name=["-n", "--samples"])] = None,
    seed: Seed = 2027,
    workers: Count | None = None,
    quick: bool = False,
) -> None:
    """Measure how well walls are found against exposure, hit resolution, panels and knowledge of momenta.

    One property is varied at a time. Every point is simulated, predicted and scored on the same walls, and
    kept: what was interrupted resumes when the same command is given again. Muons are given as scanning time
    too, at the flux of sea level. Writes plan.json, plan.csv and plan.html.

    Parameters
    ----------
    output
        Folder for the points and plan.json, .csv and .html.
    bundles
        Trained models for the physics of the challenge, with commas between: of the package by name, folders
        or .zip files; none leaves that physics out.
    full_bundles
        Trained models for the full physics (spectrum, energy loss, hard panels); likewise.
    scans
        What to vary, with commas between: exposure, resolution, span, panels, momentum; all unless said
        otherwise.
    n
        Volumes per point, 200 unless said otherwise (quick: 24); fewer above 30,000 muons.
    seed
        Seed of the simulation; not one that a model was trained on (recipes: 1 to 22).
    workers
        Processes to simulate with; all processors unless said otherwise.
    quick
        A small version in minutes: fewer points and volumes.
    """
    from cloudchamber.infer.planning import PointWork, score_point, volumes_of
    from cloudchamber.score.planning import PlanPoint
    from cloudchamber.show.planning import write_plan
    from cloudchamber.simulate.walls.config import CHALLENGE, FULL
    from cloudchamber.simulate.walls.flux import muon_rate
    from cloudchamber.simulate.walls.variations import vary

    chosen = _choose_scans(scans)
    loaded = {CHALLENGE: _load("--bundles", bundles), FULL: _load("--full-bundles", full_bundles)}
    loaded = {setting: found for setting, found in loaded.items() if found}
    if not loaded:
        raise InputError("--bundles", "", "a bundle here or with --full-bundles", "none")
    each, processes = n or (QUICK_VOLUMES if quick else VOLUMES), workers or available_processors()
    work = [
        (variation, PointWork(variation.config, volumes_of(variation.config, each), seed), found)
        for name in chosen
        for setting, found in loaded.items()
        for variation in vary(name, setting, quick=quick)
    ]
    folder = output / "points"
    _announce(folder, work, processes)
    simulate = partial(_simulate, seed=seed, workers=processes)
    points: list[PlanPoint] = []
    for place, (variation, point, found) in enumerate(work):
        scores = score_point(folder, point, found, simulate)
        seconds = muon_rate(variation.config).seconds(variation.config.muons.count)
        for name, score in scores.items():
            points.append(
                PlanPoint.of(
                    score, scan=variation.scan, setting=variation.setting, bundle=name, x=variation.x,
                    label=variation.label, changed=variation.changed, seconds=seconds,
                    muons=variation.config.muons.count,
                )
            )  # fmt: skip
            print(
                f"{place + 1}/{len(work)} {variation.scan} {variation.label}, {variation.setting}, {name}: "
                f"IOU {score.iou.text()}",
                file=sys.stderr,
            )
    for written in write_plan(output, _finish(points, list(loaded), each, seed, _command(locals()))):
        print(written)


def _command(given: dict[str, object]) -> str:
    """Return the command line that does the same again."""
    words = ["cloudchamber", "plan", "walls", "-o", str(given["output"])]
    for name in ("bundles", "full_bundles", "scans", "n", "seed"):
        words += [f"--{name}".replace("_", "-"), str(given[name])] if given[name] is not None else []
    return shlex.join([*words, "--quick"] if given["quick"] else words).replace(" --n ", " -n ")


def _finish(points: "list[PlanPoint]", settings: list[str], n: int, seed: int, command: str) -> "Plan":
    from cloudchamber import __version__
    from cloudchamber.score.planning import Plan, Rates
    from cloudchamber.simulate.walls.config import SETTINGS
    from cloudchamber.simulate.walls.flux import muon_rate

    rates = []
    for setting in settings:
        config = SETTINGS[setting]()
        found, muons = muon_rate(config), config.muons
        least = muons.least_momentum_gev if muons.momentum_gev is None else muons.momentum_gev
        rates.append(Rates(setting=setting, hz=found.hz, least_momentum_gev=least, **found.model_dump()))
    return Plan(
        version=__version__, command=command, seed=seed, n=n, rates=tuple(rates), points=tuple(points)
    )
