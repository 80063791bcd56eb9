"""``cloudchamber compare hits``: two heads against one, patches against planes, what the detector changes."""

import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from cloudchamber.cli.options import Count, Seed, available_processors

if TYPE_CHECKING:
    from cloudchamber.infer.hits_bundle import HitsBundle
    from cloudchamber.infer.hits_measure import Classified
    from cloudchamber.score.hits import HitsScore, VertexScore
    from cloudchamber.show.hits_tables import RealPlane
    from cloudchamber.wire_events import WireEvents

RECIPES = (
    "hits/paper", "hits/em-track-only", "hits/michel-only", "hits/plane", "hits/distilled", "hits/best",
    "hits/varied", "hits/vertex",
)  # fmt: skip
BESIDE_REAL = 2  # simulated planes beside a real one


def _events(path: Path, n: int) -> "Iterator[WireEvents]":
    from cloudchamber.source.wire_files import iterate_wire_file

    return iterate_wire_file(path, truth=True, stop=n)


def _real_plane(name: str, bundle: "HitsBundle", test: Path, n: int, real: Path) -> "RealPlane":
    """Return the scores of lit pixels of some simulated planes, and of a real one."""
    from cloudchamber.infer.hits_elsewhere import median_signal, scores_of_lit
    from cloudchamber.show.hits_tables import RealPlane
    from cloudchamber.source.wire_files import iterate_wire_file

    few = min(n, BESIDE_REAL)
    median = median_signal(_events(test, few), bundle)
    return RealPlane(
        name, scores_of_lit(bundle, _events(test, few), median),
        scores_of_lit(bundle, iterate_wire_file(real, truth=False), median),
    )  # fmt: skip


def hits(
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    n: Annotated[Count, Parameter(name=["-n", "--samples"])] = 20,
    seed: Seed = 2026,
    budget: str = "compare",
    recipes: str = ",".join(RECIPES),
    bundles: str = "",
    data: Path | None = None,
    validation: Path | None = None,
    test: Path | None = None,
    labelled: Path | None = None,
    real: Path | None = None,
    systematics: str = "hits/best,hits/varied",
    workers: Count | None = None,
    threads: Count | None = None,
) -> None:
    """Train networks for hits and measure all on one test set; some with the detector changed, too.

    What was trained and simulated already stays in the folder and is not done again.

    Parameters
    ----------
    output
        Folder for the runs, the test sets, report.html and compare.json.
    n
        Readouts of each test set.
    seed
        Seed of the test sets; 1 and 2 are those of training and validation.
    budget
        A smaller training that the recipes name: compare, two-cores or quick; full: as the recipes stand.
    recipes
        What to train and measure, with commas between; none trains nothing.
    bundles
        Trained models to measure as well, by name or path, with commas between.
    data
        HDF5 file to train on, instead of a simulation, which all share.
    validation
        HDF5 file to validate on; likewise.
    test
        HDF5 file of which the first -n readouts are the test set, with the detector as it is; made with
        --seed, so that the events are those of --systematics.
    labelled
        Labelled frames of others to score at lit pixels, such as dune10kt_labelled_anode4.h5.
    real
        A real plane, whose scores are drawn beside those of the simulation.
    systematics
        Names of models to measure on the same events with noise, gain, lifetime and diffusion changed, one
        at a time; none: none. Vertices are measured with the detector as it is.
    workers
        Processes to simulate with; all processors unless said otherwise.
    threads
        Threads to train with; all processors unless said otherwise.
    """
    from rich.console import Console

    from cloudchamber.cli.compare_hits_sets import VARIATIONS, check_set, train_missing, varied_set
    from cloudchamber.cli.score import make_table
    from cloudchamber.errors import InputError
    from cloudchamber.files import write_text
    from cloudchamber.infer.hits_bundle import load_hits_bundle
    from cloudchamber.infer.hits_elsewhere import median_signal, score_labelled
    from cloudchamber.infer.hits_measure import classify_events, measure_hits, score_classified
    from cloudchamber.score.hits import VertexScore
    from cloudchamber.show.hits_report import HitsFacts, write_hits_report
    from cloudchamber.show.hits_tables import area_rows, found_rows, real_rows, vertex_rows
    from cloudchamber.source.wire_files import iterate_wire_file

    processes, console = workers or available_processors(), Console(soft_wrap=False)
    chosen, given, varied = (
        [name for name in text.split(",") if name not in ("", "none")]
        for text in (recipes, bundles, systematics)
    )
    if not chosen and not given:
        raise InputError("compare hits", "--recipes", "a recipe or a bundle, at least one", "none")
    loaded = {name: load_hits_bundle(name) for name in given}
    if test is not None:
        check_set(test, n, seed if varied else None)
    models = train_missing(
        chosen, output, budget=None if budget == "full" else budget, data=data, validation=validation,
        workers=processes, threads=threads,
    )  # fmt: skip
    for place, bundle in loaded.items():
        name = bundle.config.name
        models[f"{name}, {place}" if name in models else name] = bundle
    nominal = varied_set(output, "nominal", n, seed, processes) if test is None else test
    scores: dict[str, HitsScore] = {}
    changed: dict[str, HitsScore] = {}
    elsewhere: dict[str, HitsScore] = {}
    vertices: dict[str, VertexScore] = {}
    planes: list[RealPlane] = []
    first: Classified | None = None
    for name, bundle in models.items():
        print(f"measuring {name}", file=sys.stderr)
        if bundle.reads == "vertex-patch":
            found = measure_hits(bundle, _events(nominal, n), planes=_events(nominal, n))
            if isinstance(found, VertexScore):
                vertices[name] = found
            continue
        classified = classify_events(bundle, _events(nominal, n))
        first = first or classified
        scores[name] = score_classified(classified)
        if bundle.config.name in varied:
            changed[f"{name}, nominal"] = scores[name]
            for variation in list(VARIATIONS)[1:]:
                path = varied_set(output, variation, n, seed, processes)
                changed[f"{name}, {variation}"] = score_classified(classify_events(bundle, _events(path, n)))
        if labelled is not None:
            median = median_signal(_events(nominal, min(n, BESIDE_REAL)), bundle)
            elsewhere[name] = score_labelled(bundle, iterate_wire_file(labelled, truth=True), median)
        if real is not None:
            planes.append(_real_plane(name, bundle, nominal, n, real))
    where = (
        f"{n} readouts of cloudchamber's simulation, seed {seed}"
        if test is None
        else f"{n} readouts of {test.name}"
    )
    tables = {f"Areas on {where}": area_rows(scores)} if scores else {}
    if changed:
        tables["The same events, the detector changed"] = area_rows(changed)
    if elsewhere and labelled is not None:
        tables[f"Lit pixels of {labelled.name}"] = area_rows(elsewhere)
    if planes and real is not None:
        tables[f"Lit pixels of a real plane ({real.name}) and of the simulation"] = real_rows(planes)
    for name, each in vertices.items():
        tables[f"Vertices among 12 other pixels each: {name}"] = vertex_rows(each)
        if each.found:
            tables[f"Vertices searched for at all hits: {name}"] = found_rows(each)
    for title, rows in tables.items():
        console.print(make_table(title, rows))
    parts = {
        "test": {"n": n, "seed": seed if test is None else None, "file": nominal.name},
        "scores": scores, "systematics": changed, "labelled": elsewhere, "vertices": vertices,
    }  # fmt: skip
    write_text(output / "compare.json", json.dumps(parts, indent=2, default=_plain) + "\n")
    if first is not None:
        main, score = next(iter(scores.items()))
        others = {name: each for name, each in scores.items() if name != main}
        beside = dict(list(tables.items())[1:])
        command = shlex.join(["cloudchamber", *sys.argv[1:]])
        facts = HitsFacts(
            title="Networks for hits compared",
            data=f"All read {where}.",
            model=main,
            commands=(command,),
            seed=seed if test is None else None,
        )
        write_hits_report(
            output / "report.html", truth=first.truth, probability=first.probability, score=score,
            others=others, beside=beside, planes=planes, facts=facts,
        )  # fmt: skip
        print(output / "report.html")
    print(output / "compare.json")


def _plain(score: "HitsScore | VertexScore") -> object:
    """Return a score as JSON knows it."""
    return score.model_dump(mode="json")
