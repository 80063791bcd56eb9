"""What a file of sparse events holds, for ``cloudchamber check`` and ``cloudchamber info``."""

from pathlib import Path
from typing import Any


def check_voxels(path: Path) -> str:
    """Read the whole of a file of sparse events, or of predictions of them, and say what was found good.

    Raises
    ------
    InputError
        that names the first fault: table, event, voxel.
    """
    from cloudchamber.source.check import check_sums
    from cloudchamber.source.hdf5 import holds, open_hdf5
    from cloudchamber.source.predictions import CLASSES
    from cloudchamber.source.voxel_predictions import read_voxel_predictions
    from cloudchamber.source.voxels import iterate_events

    with open_hdf5(path) as file:
        predicted = holds(file, path, CLASSES)
    if predicted:
        found = read_voxel_predictions(path)
        n, voxels, kind = len(found.voxel_offsets) - 1, len(found.label), "predicted voxels"
        checks = ["preds: classes 0 to 4"]
        if found.probability is not None:
            checks.append("probability: within [0, 1]")
    else:
        n = voxels = 0
        labelled = particles = False
        for block in iterate_events(path):
            n, voxels = n + len(block), voxels + len(block.position)
            labelled, particles = block.label is not None, block.particles is not None
        kind = "sparse events"
        checks = [
            "position: in the image, each voxel once, in order", "energy_mev: finite, from 0 up",
            f"label: {'0 to 4' if labelled else 'absent'}",
            f"particles: {'every voxel has one of its event, or none' if particles else 'absent'}",
        ]  # fmt: skip
    sums = check_sums(path)
    recorded = f"as recorded ({', '.join(sums)})" if sums else "none recorded"
    checks.append(f"SHA-256: {recorded}")
    return f"{path}: good. {n} events, {voxels:,} voxels of {kind}. {'; '.join(checks)}"


def describe_voxels(path: Path) -> dict[str, Any]:
    """Return what a data set of sparse events is like: numbers, shares of the classes, its origin."""
    import numpy as np

    from cloudchamber.labels import VoxelLabel
    from cloudchamber.source.check import check_sums
    from cloudchamber.source.voxels import iterate_events, read_events

    counts, energy_mev, sizes = np.zeros(len(VoxelLabel), np.int64), 0.0, list[int]()
    labelled = False
    for block in iterate_events(path):
        sizes += np.diff(block.voxel_offsets).tolist()
        energy_mev += float(block.energy_mev.sum(dtype=np.float64))
        if block.label is not None:
            labelled = True
            counts += np.bincount(block.label, minlength=len(VoxelLabel))
    first, attributes = read_events(path, stop=1)
    found: dict[str, Any] = {
        "path": str(path),
        "events": len(sizes),
        "voxels along x, y, z": list(first.shape),
        "voxel (mm)": first.voxel_mm,
        "voxels per event, mean": float(np.mean(sizes)),
        "voxels per event, least and most": [min(sizes), max(sizes)],
        "energy per event (MeV), mean": energy_mev / len(sizes),
    }
    if labelled:
        found["share of voxels"] = {
            label.name: round(float(counts[label] / max(1, counts.sum())), 5) for label in VoxelLabel
        }
    return {**found, "SHA-256": check_sums(path), "attributes": dict(attributes)}


def print_voxels_info(path: Path, json: bool) -> None:
    """Print what a data set of sparse events is like, as a table or as JSON."""
    found = describe_voxels(path)
    if json:
        from json import dumps

        print(dumps(found, indent=2))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=str(path), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in found.items():
        text = ", ".join(f"{key} {item}" for key, item in value.items()) if isinstance(value, dict) else value
        table.add_row(name, escape(f"{text:.1f}" if isinstance(text, float) else str(text)))
    Console(soft_wrap=False).print(table)
