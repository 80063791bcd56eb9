"""Training on wire images, for ``cloudchamber train``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cloudchamber.cli.options import available_processors
from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cloudchamber.prepare.beam_images import BeamImageConfig, BeamImages
    from cloudchamber.train.beam_recipe import SimulatedWires


class Loaded(NamedTuple):
    """Images of a file, and the size (wires, pixels along the drift) of the planes they were made of."""

    images: "BeamImages"
    plane: tuple[int, int]


def load_images(
    path: Path, config: "BeamImageConfig", n: int | None = None, *, select: bool = True
) -> Loaded:
    """Make the images of the first ``n`` events of a file; with ``select`` of those with enough beam.

    Raises
    ------
    InputError
        if the file has no truth for the beam, fewer events, or none with enough beam.
    """
    from dataclasses import replace

    from cloudchamber.prepare.beam_images import iterate_images, join_images
    from cloudchamber.progress import progress
    from cloudchamber.source.hdf5 import open_hdf5
    from cloudchamber.source.wires import find_wire_events, load_wire_events

    with open_hdf5(path) as file:
        opened = find_wire_events(file, path, truth=True)
        total = len(opened)
        wanted = total if n is None else n
        if wanted > total:
            raise InputError(path, "", f"{wanted} events or more", str(total))
        readout = opened.readout
        if config.rebin % readout.rebin:
            raise InputError(path, "rebin", f"pixels of {config.rebin} ticks or a part", str(readout.rebin))
        plane, made = (0, 0), []
        with progress("preparing", wanted, "events", plain=False) as advance:
            for k in range(wanted):
                event = load_wire_events(opened, k, k + 1)
                if event.beam is None:
                    raise InputError(path, "beam", "the beam's pixels, as truth", "none")
                plane = event.wires, event.drifts * readout.rebin // config.rebin
                (images,) = iterate_images([event], config, select=select)
                made.append(replace(images, event=images.event + k))
                advance(1)
    images = join_images(made)
    if not len(images):
        raise InputError(path, "beam", f"an event with {config.least_beam} beam hits or more", "none")
    return Loaded(images, plane)


def load_training_images(
    given: Path | None, default: Path, wanted: "SimulatedWires", config: "BeamImageConfig", workers: int
) -> Loaded:
    """Make the images a recipe asks for: of a file given, or one that is simulated where it is missing.

    Raises
    ------
    InputError
        as ``load_images`` does.
    """
    path = given or default
    if given is None and not path.exists():
        from cloudchamber.cli.simulate_wires import load_wires_config, produce_readouts

        simulated = load_wires_config(wanted.setting)
        produce_readouts(path, wanted.n, seed=wanted.seed, config=simulated, workers=workers)
    return load_images(path, config, wanted.n)


def train_beam(
    recipe: str,
    output: Path,
    *,
    data: Path | None,
    validation: Path | None,
    budget: str | None,
    workers: int | None,
    threads: int | None,
) -> None:
    """Train after a recipe for beam and cosmics and write the bundle."""
    from cloudchamber.infer.beam_bundle import save_beam_bundle
    from cloudchamber.infer.beam_finish import train_beam_recipe
    from cloudchamber.train.beam_recipe import load_beam_recipe

    chosen = load_beam_recipe(recipe, budget)
    wanted, options = chosen.data, chosen.training
    print(
        f"recipe {chosen.name}: {wanted.train.n:,} events, {options.epochs} epochs, batches of "
        f"{options.batch}; run folder {output}",
        file=sys.stderr,
    )
    processes = workers or available_processors()
    train = load_training_images(data, output / "train.h5", wanted.train, wanted.train_images, processes)
    held_out = load_training_images(
        validation, output / "validation.h5", wanted.validation, wanted.images, processes
    )
    print(f"{len(train.images):,} events with enough beam to train on", file=sys.stderr)
    done = train_beam_recipe(
        chosen, output, train.images, held_out.images, plane=train.plane, threads=threads, budget=budget
    )
    save_beam_bundle(output / "bundle", done.bundle)
    score = done.score
    print(
        f"validation mean IOU {score.mean_iou.text(4)}, without background "
        f"{score.mean_iou_without_background.text(4)}, on {score.n_images:,} images"
    )
    print(output / "bundle")
