"""``cloudchamber compare``: the published results beside ours, measured on one test set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from cloudchamber.cli.options import Count, available_processors

if TYPE_CHECKING:
    from cloudchamber.score.leaderboard import Leaderboard

app = App(name="compare", help="Measure published and own systems on one test set: the leaderboard.")
app.command("cloudchamber.cli.compare_voxels:voxels", name="voxels")
app.command("cloudchamber.cli.compare_energy:energy", name="energy")
app.command("cloudchamber.cli.compare_beam:beam", name="beam")
app.command("cloudchamber.cli.compare_hits:hits", name="hits")

WIDE = 130  # letters in a line of the terminal from which all columns are shown


@app.command
def walls(
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    recipes: str | None = None,
    bundles: str | None = None,
    test: Path | None = None,
    data: Path | None = None,
    validation: Path | None = None,
    budget: str | None = None,
    quick: bool = False,
    workers: Count | None = None,
    threads: Count | None = None,
) -> None:
    """Train and measure systems that find buried walls, and write the leaderboard beside the published one.

    All are measured on the same volumes, with a seed that no training sees. Cuts on the radiation length
    alone are the baselines. What was interrupted resumes when the same command is given again, and what is
    finished is not done again: rows can be added later with other --recipes and --bundles.

    Parameters
    ----------
    output
        Folder for data, run folders and leaderboard.json, .csv and .html.
    recipes
        Recipes to train and measure, with commas between: names or TOML files; none trains nothing. Unless
        said otherwise all walls/ for the challenge's simulation, with --budget or --quick those that have it.
    bundles
        Trained models to measure as well, with commas between: of the package by name, folders or .zip files.
    test
        HDF5 file to measure on, with targets, instead of 5000 simulated volumes (quick: 1000).
    data
        HDF5 file to train on, instead of the recipes' own simulation.
    validation
        HDF5 file to validate and to fit the cuts on; likewise.
    budget
        Train within a smaller budget that recipes name, such as two-cores; what has none is trained in full.
    quick
        A small version in minutes: few volumes, few epochs, and no more than one network of a kind.
    workers
        Processes to simulate with; all processors unless said otherwise.
    threads
        Threads to train and predict with; all processors unless said otherwise.
    """
    import torch

    from cloudchamber.cli.compare_walls import Given, make_plan, run

    if threads:
        torch.set_num_threads(threads)
    given = Given(output, recipes, bundles, test, data, validation, budget, quick, threads)
    board = run(make_plan(given, workers or available_processors()))
    _print(board)
    for kind in ("json", "csv", "html"):
        print(output / f"leaderboard.{kind}")


def _print(board: "Leaderboard") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console

    from cloudchamber.cli.score import make_table
    from cloudchamber.show.leaderboard import leaderboard_notes, leaderboard_rows

    console = Console()
    rows = leaderboard_rows(board, wide=console.width >= WIDE)
    table = make_table(f"Leaderboard: {board.task} (mean IOU; public and private: published)", rows)
    table.box = SIMPLE_HEAD
    for column in table.columns[1:]:
        column.no_wrap = True
    console.print(table)
    for note in leaderboard_notes(board):
        console.print(note, markup=False, highlight=False)
