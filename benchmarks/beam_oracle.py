"""How far the IOU of background can go on noisy images, by the cut that makes a pixel background.

An oracle that may choose one threshold on the signal of the images, knowing the truth, calls background what
is below. Its IOU bounds that of any network that looks at pixels one by one; decision 15 chose the cut by it.

    cloudchamber simulate wires -n 24 --seed 900 -o events.h5
    python benchmarks/beam_oracle.py events.h5
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from cloudchamber.prepare.beam_images import BeamImageConfig, BeamImages, iterate_images, join_images
from cloudchamber.source.wires import iterate_wire_events

CUTS = (0.0, 6.0, 9.0, 12.0, 15.0, 18.0)  # ADC per tick


def best_background_iou(images: BeamImages) -> tuple[float, float]:
    """Return the largest IOU of background that one threshold on the signal reaches, and the threshold."""
    if images.label is None:
        raise SystemExit("expected events with truth")
    signal, background = images.signal(slice(None)).ravel(), (images.label == 0).ravel()
    values, place = np.unique(signal, return_inverse=True)
    true = np.cumsum(np.bincount(place, background, len(values)))  # called background up to each value
    called = np.cumsum(np.bincount(place, minlength=len(values)))
    iou = true / (called + background.sum() - true)
    best = int(iou.argmax())
    return float(iou[best]), float(values[best])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("events", type=Path)
    chosen = parser.parse_args(arguments)
    table = Table(title=f"one threshold on images of {chosen.events.name}")
    for name in ("least_signal (ADC per tick)", "images", "IOU of background, at most", "threshold"):
        table.add_column(name, justify="right")
    for cut in CUTS:
        config = BeamImageConfig(least_signal=cut, least_beam=1)
        images = join_images(list(iterate_images(iterate_wire_events(chosen.events), config)))
        iou, threshold = best_background_iou(images)
        table.add_row(f"{cut:g}", f"{len(images)}", f"{iou:.4f}", f"{threshold:.1f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
