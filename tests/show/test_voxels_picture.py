"""The still picture of a sparse event: what it says and where it puts the voxels."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from cloudchamber.errors import InputError
from cloudchamber.show.voxels_picture import draw_voxels, write_voxels_picture
from cloudchamber.show.voxels_theme import CLASSES
from cloudchamber.voxel_events import VoxelEvents, join_events

Maker = Callable[..., VoxelEvents]


def test_truth_prediction_and_energy_side_by_side(toy_event: Maker) -> None:
    event = toy_event(1000)
    assert event.label is not None
    predicted = event.label.copy()
    predicted[::10] = (predicted[::10] + 1) % 5
    figure = draw_voxels(event, predicted)
    views: list[Any] = [axes for axes in figure.axes if axes.name == "3d"]
    assert [axes.get_title() for axes in views] == [
        "truth: 1,000 voxels", "prediction: 90.0% of the voxels right", "energy"
    ]  # fmt: skip
    for axes in views:
        assert [axes.get_xlabel(), axes.get_ylabel(), axes.get_zlabel()] == ["z (cm)", "x (cm)", "y (cm)"]
        z_cm, x_cm, y_cm = axes.collections[0]._offsets3d
        np.testing.assert_allclose(
            np.stack([x_cm, y_cm, z_cm], axis=1), (event.position + 0.5) * 0.3, rtol=1e-6
        )
    colours = views[1].collections[0].get_facecolors()
    assert {tuple(colour[:3]) for colour in colours} == {to_rgb(style.light) for style in CLASSES.values()}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        each.name for each in CLASSES.values()
    ]
    assert figure.axes[-1].get_xlabel() == "energy in a voxel (MeV)"


@pytest.mark.parametrize("voxels", [0, 1, 400])
def test_without_truth_the_energy_is_shown(toy_event: Maker, tmp_path: Path, voxels: int) -> None:
    whole = toy_event(400)
    event = VoxelEvents(
        whole.shape, 3.0, np.array([0, voxels]), whole.position[:voxels], whole.energy_mev[:voxels]
    )
    write_voxels_picture(tmp_path / "e.png", event, energy=False, title="$5 an event_")
    assert [axes.get_title() for axes in draw_voxels(event).axes if axes.name == "3d"] == ["energy"]
    image = imread(tmp_path / "e.png")[..., :3]
    assert image.shape[0] > 500
    assert (image.min(axis=-1) < 0.9).any()


def test_mistakes_are_told(toy_event: Maker) -> None:
    event = toy_event(50)
    with pytest.raises(InputError, match="one event, found 2"):
        draw_voxels(join_events([event, event]))
    with pytest.raises(InputError, match="predicted"):
        draw_voxels(event, np.zeros(3, np.uint8))
    with pytest.raises(InputError, match="label"):
        draw_voxels(replace(event, label=np.full(50, 9, np.uint8)))
