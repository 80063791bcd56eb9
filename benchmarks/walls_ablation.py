"""What each part of the recipe walls/best is worth: variants of one small network, each on the same budget.

    cloudchamber simulate walls -n 24000 --seed 1 --workers 2 -o train.h5
    cloudchamber simulate walls -n 2000 --seed 2 --workers 2 -o validation.h5
    python benchmarks/walls_ablation.py train.h5 validation.h5 -o ablation --threads 1

Every variant is trained on the first 12,000 volumes for four epochs unless it says otherwise, cuts are fitted
on the first half of the validation volumes and scored on the second: no test set is touched. A run that was
killed goes on where it was. The differences' errors are paired: bootstrap over the same volumes.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from cloudchamber.infer.finish import train_recipe
from cloudchamber.infer.predict import predict_probability
from cloudchamber.infer.thresholds import Kind, fit_thresholds
from cloudchamber.prepare.volumes import WallVolumes, stack_maps
from cloudchamber.score.walls import iou_per_sample
from cloudchamber.source.store import read_walls
from cloudchamber.train.recipe import Recipe, load_recipe

VOLUMES, EPOCHS = 12_000, 4
ADAM = {"optimiser": "adam", "schedule": {"start": 1e-4, "peak": 3e-3}}
UNET = {
    "name": "walls-unet",
    "options": {"features": 40, "layers": 10, "gravnet": {"neighbours": 12, "attention": False}},
}
VARIANTS: dict[str, dict[str, Any]] = {
    "as walls/best, but small": {},
    "without heads for columns, tops, base": {"training": {"structure": 0.0}},
    "Adam in place of Muon": {"training": ADAM},
    "U-Net + GravNet, no heads": {"model": UNET, "training": {"structure": 0.0}},
    "U-Net + GravNet, no heads, Adam": {"model": UNET, "training": {"structure": 0.0, **ADAM}},
    "batch soft IOU": {"training": {"loss": "batch-soft-iou"}},
    "power Jaccard": {"training": {"loss": "power-jaccard"}},
    "cross-entropy": {"training": {"loss": "bce"}},
    "twice the volumes, half the epochs": {"volumes": 2 * VOLUMES, "training": {"epochs": EPOCHS // 2}},
    "a quarter of the volumes, four times the epochs": {
        "volumes": VOLUMES // 4, "training": {"epochs": 4 * EPOCHS}
    },
    "two networks": {"ensemble": {"copies": 2}},
    "two networks, the second boosted": {"ensemble": {"copies": 2, "boost": 1.0}},
    "second round with as many pseudo-labels": {
        "pseudo_labels": {"unlabelled": {"n": VOLUMES, "seed": 1}}, "pseudo": True
    },
}  # fmt: skip
KINDS: tuple[Kind, ...] = ("fixed", "global", "layers", "expected-iou")


def variant(changes: dict[str, Any]) -> tuple[Recipe, int]:
    """Return the recipe of a variant, and its number of training volumes."""
    whole = load_recipe("walls/best").model_dump()
    whole["model"]["options"] |= {"features": 64, "blocks": 3}
    whole["training"] |= {"epochs": EPOCHS, **changes.get("training", {})}
    for part in ("ensemble", "pseudo_labels"):
        if part in changes:
            whole[part] = changes[part]
    whole["model"] |= changes.get("model", {})
    volumes = changes.get("volumes", VOLUMES)
    whole["data"]["train"]["n"] = volumes
    return Recipe.model_validate(whole), volumes


def load(path: Path, n: int | None = None) -> WallVolumes:
    data = read_walls(path, targets=True)
    if data.walls is None:
        raise ValueError(f"{path} has no targets")
    return WallVolumes({"x0": data.x0_m}, data.walls).chosen(slice(n))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("validation", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=list(VARIANTS))
    options = parser.parse_args()
    train, validation = load(options.train, 2 * VOLUMES), load(options.validation)
    half = len(validation) // 2
    fit, test = validation.chosen(slice(half)), validation.chosen(slice(half, None))
    names = [name for name in VARIANTS if name in options.only]
    found: dict[str, dict[Kind, np.ndarray]] = {}
    facts: dict[str, tuple[int, float]] = {}
    for name in names:
        changes = VARIANTS[name]
        recipe, volumes = variant(changes)
        unlabelled = train.chosen(slice(VOLUMES, 2 * VOLUMES)).maps if changes.get("pseudo") else None
        done = train_recipe(
            recipe, options.output / name.replace("/", "-"), train.chosen(slice(volumes)), fit,
            unlabelled=unlabelled, threads=options.threads,
        )  # fmt: skip
        network, inputs = done.bundle.network, done.bundle.config.inputs
        p_fit, p_test = (
            predict_probability(network, inputs, stack_maps(v.maps, inputs.names)) for v in (fit, test)
        )
        cuts = {kind: fit_thresholds(kind, p_fit, fit.walls) for kind in KINDS}
        found[name] = {kind: iou_per_sample(cuts[kind](p_test), test.walls) for kind in KINDS}
        facts[name] = sum(p.numel() for p in network.parameters()), done.seconds
    table = Table(title=f"IOU on {half} validation volumes, cuts fitted on {half} others")
    for head in ("variant", "parameters", "minutes", *KINDS, "difference (layers)"):
        table.add_column(head, justify="left" if head == "variant" else "right")
    for name in names:
        parameters, seconds = facts[name]
        away = found[name]["layers"] - found[names[0]]["layers"]
        difference = f"{away.mean():+.4f} ± {away.std() / len(away) ** 0.5:.4f}" if name != names[0] else ""
        means = (f"{found[name][kind].mean():.4f}" for kind in KINDS)
        table.add_row(name, f"{parameters:,}", f"{seconds / 60:.1f}", *means, difference)
    error = found[names[0]]["layers"].std() / half**0.5
    console = Console(width=160)
    console.print(table)
    console.print(f"error of each figure about {error:.4f}; of the differences as given (paired)")


if __name__ == "__main__":
    main()
