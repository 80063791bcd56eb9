"""``cloudchamber compare hits``: two heads against one, patches against planes, what the detector changes."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from cloudchamber.cli.options import Count, Seed, available_processors

if TYPE_CHECKING:
    from cloudchamber.infer.hits_bundle import HitsBundle
    from cloudchamber.score.hits import HitsScore, VertexScore
    from cloudchamber.show.tables import Rows

RECIPES = (
    "hits/paper", "hits/em-track-only", "hits/michel-only", "hits/vertex", "hits/plane", "hits/distilled",
    "hits/best", "hits/varied",
)  # fmt: skip
# Factors on what the detector does, each alone.
VARIATIONS: dict[str, dict[str, float]] = {
    "nominal": {},
    "noise x 2": {"noise.scale": 2.0},
    "gain x 0.8": {"electronics.gain": 0.8},
    "gain x 1.2": {"electronics.gain": 1.2},
    "lifetime x 0.1": {"drift.lifetime_ms": 0.1},
    "diffusion x 3": {"drift.longitudinal_cm2_s": 3.0, "drift.transverse_cm2_s": 3.0},
}


def _varied_set(folder: Path, name: str, n: int, seed: int, workers: int) -> Path:
    """Return the file of a test set with one thing changed, simulated where it is missing."""
    from cloudchamber.cli.simulate_wires import load_wires_config, produce_readouts, with_options

    path = folder / f"test-{name.replace(' ', '-')}.h5"
    if not path.exists():
        config = load_wires_config("protodune-sp")
        changes: dict[str, Any] = {}
        for key, factor in VARIATIONS[name].items():
            section, _, entry = key.rpartition(".")
            changes[key] = getattr(getattr(config, section), entry) * factor
        produce_readouts(path, n, seed=seed, config=with_options(config, changes), workers=workers)
    return path


def _measure(bundle: "HitsBundle", path: Path) -> "HitsScore | VertexScore":
    from cloudchamber.infer.hits_measure import measure_hits
    from cloudchamber.source.wires import iterate_wire_events

    return measure_hits(bundle, iterate_wire_events(path, 1, truth=True))


def _real_rows(bundle: "HitsBundle", test: Path, real: Path, name: str, folder: Path) -> "Rows":
    """Return what share of lit pixels a model selects, on simulation and on a real plane; draw both."""
    from cloudchamber.files import whole
    from cloudchamber.infer.hits_elsewhere import median_signal, scores_of_lit
    from cloudchamber.score.hits import em_score
    from cloudchamber.show.hits_plots import plot_distribution
    from cloudchamber.show.tables import Rows
    from cloudchamber.show.theme import svg_bytes
    from cloudchamber.source.wire_files import iterate_wire_file
    from cloudchamber.source.wires import iterate_wire_events

    median = median_signal(iterate_wire_events(test, 1), bundle)
    scores = {
        "simulation": scores_of_lit(bundle, iterate_wire_events(test, 1), median),
        "real": scores_of_lit(bundle, iterate_wire_file(real, truth=False), median),
    }
    figure = plot_distribution(
        {key: em_score(each) for key, each in scores.items()}, "p(em) / (p(track) + p(em))"
    )
    with whole(folder / f"real-{name.replace('/', '-')}.svg") as temporary:
        temporary.write_bytes(svg_bytes(figure))
    rows = [
        [f"{name}, {key}", f"{len(each):,}", f"{100 * (em_score(each) > 0.5).mean():.1f}",
         f"{100 * (each[:, 3] > 0.5).mean():.2f}"]
        for key, each in scores.items()
    ]  # fmt: skip
    return Rows(head=["lit pixels of", "pixels", "EM-like (%)", "Michel-like (%)"], rows=rows)


def hits(
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    n: Annotated[Count, Parameter(name=["-n", "--samples"])] = 20,
    seed: Seed = 2026,
    budget: str = "two-cores",
    recipes: str = ",".join(RECIPES),
    bundles: str = "",
    data: Path | None = None,
    validation: Path | None = None,
    labelled: Path | None = None,
    real: Path | None = None,
    systematics: bool = True,
    workers: Count | None = None,
    threads: Count | None = None,
) -> None:
    """Train networks for hits and measure all on one test set, and on sets with the detector changed.

    What was trained and simulated already stays in the folder and is not done again.

    Parameters
    ----------
    output
        Folder for the runs, the test sets and compare.json.
    n
        Readouts of each test set.
    seed
        Seed of the test sets; 1 and 2 are those of training and validation.
    budget
        A smaller training that the recipes name: two-cores or quick.
    recipes
        What to train and measure, with commas between; none trains nothing.
    bundles
        Trained models to measure as well, by name or path, with commas between.
    data
        HDF5 file to train on, instead of the recipes' own simulation, which all of them share.
    validation
        HDF5 file to validate on; likewise.
    labelled
        Labelled frames of others to score at lit pixels, such as dune10kt_labelled_anode4.h5.
    real
        A real plane, whose scores are drawn beside those of the simulation.
    systematics
        Measure on sets with noise, gain, lifetime and diffusion changed, too.
    workers
        Processes to simulate with; all processors unless said otherwise.
    threads
        Threads to train with; all processors unless said otherwise.
    """
    from rich.console import Console

    from cloudchamber.cli.score import make_table
    from cloudchamber.cli.train_hits import stored_readouts, train_hits
    from cloudchamber.files import write_text
    from cloudchamber.infer.hits_bundle import load_hits_bundle
    from cloudchamber.infer.hits_elsewhere import median_signal, score_labelled
    from cloudchamber.score.hits import HitsScore, VertexScore
    from cloudchamber.show.hits_tables import area_rows, vertex_rows
    from cloudchamber.source.wire_files import iterate_wire_file
    from cloudchamber.source.wires import iterate_wire_events
    from cloudchamber.train.hits_recipe import load_hits_recipe

    processes, console = workers or available_processors(), Console(soft_wrap=False)
    chosen = [name for name in recipes.split(",") if name not in ("", "none")]
    models: dict[str, HitsBundle] = {}
    for recipe in chosen:
        run = output / Path(recipe).stem
        if not (run / "bundle").exists():
            wanted = load_hits_recipe(recipe, budget).data
            train = stored_readouts(data, output / "train.h5", wanted.train, processes)
            held_out = stored_readouts(validation, output / "validation.h5", wanted.validation, processes)
            taught_by = output / "paper" / "bundle"
            has_teacher = load_hits_recipe(recipe).teacher is not None
            train_hits(
                recipe, run, data=train, validation=held_out, budget=budget, workers=processes,
                threads=threads, teacher=str(taught_by) if has_teacher and taught_by.exists() else None,
            )  # fmt: skip
        models[recipe] = load_hits_bundle(run / "bundle")
    models |= {name: load_hits_bundle(name) for name in filter(None, bundles.split(","))}
    names = list(VARIATIONS) if systematics else ["nominal"]
    tests = {name: _varied_set(output, name, n, seed, processes) for name in names}
    scores: dict[str, HitsScore] = {}
    vertices: dict[str, VertexScore] = {}
    for name, bundle in models.items():
        for variation, path in tests.items():
            found = _measure(bundle, path)
            if isinstance(found, VertexScore):
                vertices[f"{name}, {variation}"] = found
            else:
                scores[f"{name}, {variation}"] = found
        if labelled is not None and bundle.reads != "vertex-patch":
            median = median_signal(iterate_wire_events(tests["nominal"], 1), bundle)
            blocks = iterate_wire_file(labelled, truth=True)
            scores[f"{name}, {labelled.name}, lit pixels"] = score_labelled(bundle, blocks, median)
    title = f"Areas, {n} readouts of cloudchamber's simulation, seed {seed}"
    console.print(make_table(title, area_rows(scores)))
    for key, each in vertices.items():
        console.print(make_table(f"Vertices: {key}", vertex_rows(each)))
    if real is not None:
        for name, bundle in models.items():
            if bundle.reads != "vertex-patch":
                rows = _real_rows(bundle, tests["nominal"], real, name, output)
                console.print(make_table(f"A real plane ({real.name}): {name}", rows))
    parts = {key: json.loads(each.model_dump_json()) for key, each in (scores | vertices).items()}
    write_text(output / "compare.json", json.dumps(parts, indent=2) + "\n")
    print(output / "compare.json")
