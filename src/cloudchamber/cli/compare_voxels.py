"""``cloudchamber compare voxels``: the published study of relabelling, again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from cloudchamber.cli.options import Count, Seed, available_processors

if TYPE_CHECKING:
    from cloudchamber.infer.voxels_bundle import VoxelsBundle
    from cloudchamber.voxel_events import VoxelEvents

# What each column of the published table is: the recipe that is trained, and the labels it is scored on.
COLUMNS = (
    ("voxels/regular", "regular"),
    ("voxels/regular", "relabelled"),
    ("voxels/uresnet", "relabelled"),
    ("voxels/weighted", "relabelled"),
)


def _row(name: str, labels: str, bundle: "VoxelsBundle", truths: "dict[str, VoxelEvents]") -> list[str]:
    """Return a model's line of the table: its accuracies on one of the truths."""
    from cloudchamber.infer.voxels_predict import predict_events
    from cloudchamber.labels import VoxelLabel
    from cloudchamber.score.voxels import score_voxels
    from cloudchamber.show.voxels_tables import percent

    score = score_voxels(truths[labels], predict_events(bundle, truths[labels])[0])
    ours = {each.label: percent(each.accuracy) for each in score.classes}
    accuracies = [ours.get(label, "–") for label in VoxelLabel]
    return [f"{name}, {labels} (our simulation)", *accuracies, percent(score.accuracy)]


def voxels(
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    n: Annotated[Count, Parameter(name=["-n", "--samples"])] = 500,
    seed: Seed = 2026,
    budget: str = "two-cores",
    bundles: str = "",
    workers: Count | None = None,
    threads: Count | None = None,
) -> None:
    """Train on regular labels, on relabelled ones, and with class weights; score all on one test set.

    What was trained and simulated already stays in the folder and is not done again.

    Parameters
    ----------
    output
        Folder for the runs and the test set.
    n
        Events of the test set.
    seed
        Seed of the test set; 1 and 2 are those of training and validation.
    budget
        A smaller training that the recipes name: two-cores or quick.
    bundles
        Trained models to score beside them, on relabelled events, by name or path, with commas between.
    workers
        Processes to simulate with; all processors unless said otherwise.
    threads
        Threads to train with; all processors unless said otherwise.
    """
    from rich.console import Console

    from cloudchamber.cli.score import make_table
    from cloudchamber.cli.simulate_voxels import load_voxels_config, produce_events
    from cloudchamber.cli.train_voxels import train_voxels
    from cloudchamber.infer.voxels_bundle import load_voxels_bundle
    from cloudchamber.labels import VoxelLabel
    from cloudchamber.prepare.relabel import relabel_events
    from cloudchamber.score.published_voxels import ACCURACIES
    from cloudchamber.show.tables import Rows
    from cloudchamber.show.voxels_tables import share_text
    from cloudchamber.source.voxels import read_events

    processes, config = workers or available_processors(), load_voxels_config("bomb-512")
    test = output / "test.h5"
    if not test.exists():
        produce_events(test, n, seed=seed, config=config, relabel=False, workers=processes)
    for recipe in dict.fromkeys(name for name, _ in COLUMNS):
        run = output / recipe.replace("/", "-")
        if not (run / "bundle").exists():
            train_voxels(
                recipe, run, data=None, validation=None, budget=budget, workers=processes, threads=threads
            )
    events = read_events(test, truth=True)[0]
    truths = {"regular": events, "relabelled": relabel_events(events)}
    head = ["trained, scored on", *(f"{label.name} (%)" for label in VoxelLabel), "all (%)"]
    rows = []
    for (recipe, labels), quoted in zip(COLUMNS, ACCURACIES, strict=True):
        published = [share_text(quoted.accuracy[label]) for label in VoxelLabel]
        rows.append([f"published: {quoted.trained_on}, {quoted.scored_on}", *published, "–"])
        rows.append(
            _row(recipe, labels, load_voxels_bundle(output / recipe.replace("/", "-") / "bundle"), truths)
        )
    for name in filter(None, bundles.split(",")):
        rows.append(_row(name, "relabelled", load_voxels_bundle(name), truths))
    title = f"Accuracy by class, {len(events):,} events of cloudchamber's simulation, seed {seed}"
    Console(soft_wrap=False).print(make_table(title, Rows(head=head, rows=rows)))
