"""Toy wire events for tests: a beam track from the first wire, crossing cosmics, noise."""

import numpy as np

from cloudchamber.labels import BeamLabel
from cloudchamber.prepare.beam_images import BeamImageConfig, BeamImages, make_images
from cloudchamber.train.beam_recipe import BeamRecipe
from cloudchamber.wire_events import WireEvents, WireReadout

READOUT = WireReadout(rebin=6, zero=20.0, step=1.0)
IMAGES = {"wires": 32, "drifts": 32, "least_beam": 0, "least_signal": 0}


def draw(
    code: np.ndarray, beam: np.ndarray, start: np.ndarray, end: np.ndarray, label: int, adc: float
) -> None:
    """Draw a straight track between two points (wire, drift)."""
    along = np.linspace(0, 1, 400)[:, None]
    wire, drift = np.rint(start + along * (end - start)).astype(int).T
    inside = (wire >= 0) & (wire < code.shape[0]) & (drift >= 0) & (drift < code.shape[1])
    code[wire[inside], drift[inside]], beam[wire[inside], drift[inside]] = adc, label


def toy_wire_events(n: int, seed: int = 1, shape: tuple[int, int] = (64, 64)) -> WireEvents:
    """Return events with three cosmics and a beam track that enters at one place."""
    rng = np.random.default_rng(seed)
    code = rng.normal(20, 2, (n, *shape))
    beam = np.zeros((n, *shape), np.uint8)
    size = np.array(shape)
    for event in range(n):
        for _ in range(3):
            start, end = rng.random(2) * size, rng.random(2) * size
            start[1], end[1] = -5, size[1] + 5
            draw(code[event], beam[event], start, end, BeamLabel.NOT_BEAM, 90)
        entrance = np.array([0, 0.4 * size[1]])
        stop = entrance + np.array([size[0] * rng.uniform(0.5, 0.9), size[1] * rng.uniform(0, 0.2)])
        draw(code[event], beam[event], entrance, stop, BeamLabel.BEAM, 110)
    return WireEvents(READOUT, np.clip(np.rint(code), 0, 255).astype(np.uint8), beam=beam)


def toy_images(n: int, seed: int = 1, **options: object) -> BeamImages:
    """Return images of 32 pixels a side of such events."""
    return make_images(toy_wire_events(n, seed), BeamImageConfig.model_validate({**IMAGES, **options}))


def make_beam_recipe(**training: object) -> BeamRecipe:
    """Return a recipe for them."""
    return BeamRecipe.model_validate(
        {
            "name": "small",
            "task": "beam",
            "about": "Small.",
            "data": {"train": {"n": 24, "seed": 1}, "validation": {"n": 8, "seed": 2}, "images": IMAGES},
            "model": {"options": {"widths": (8, 12, 16), "blocks": (1, 1, 1), "patch": 1}},
            "training": {
                "epochs": 3, "batch": 4, "schedule": {"start": 1e-3, "peak": 1e-2}, "precision": "32",
                "changes": {"shift": 1, "gain": 0.05, "noise": 0.2}, **training,
            },
        }
    )  # fmt: skip
