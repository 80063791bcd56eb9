"""The verbs: where each one is and what it does, in a line. To add one, add a line."""

from typing import NamedTuple


class Verb(NamedTuple):
    """A verb of the command line: ``function`` (or a cyclopts app) in ``cloudchamber.cli.<module>``."""

    name: str
    module: str
    function: str
    help: str


VERBS = (
    Verb("simulate", "simulate", "app", "Simulate a data set."),
    Verb("fetch", "fetch", "fetch", "Fetch a public data set, resuming where it broke off."),
    Verb("convert", "convert", "app", "Convert the files of others to ours and back."),
    Verb("check", "check", "check", "Check that a file is whole and its numbers make sense."),
    Verb("info", "info", "info", "Describe a data set: counts, statistics per layer, where it comes from."),
    Verb("train", "train", "train", "Train a network from a recipe."),
    Verb("predict", "predict", "predict", "Predict with a trained network."),
    Verb("export", "export", "export", "Export a trained network: ONNX, torch.export, Triton."),
    Verb("score", "score", "score", "Score predictions, with errors, beside the published numbers."),
    Verb("compare", "compare", "app", "Measure published and own systems on one test set: the leaderboard."),
    Verb("plan", "plan", "app", "Plan a scan: the score against exposure, detector and momentum."),
    Verb("show", "show", "show", "Show events: volumes in 3D, wire planes."),
    Verb("report", "report", "report", "Write a report as one HTML page."),
    Verb("demo", "demo", "app", "Do the main job, from simulation to report, in minutes."),
)
