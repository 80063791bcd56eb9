"""Plots and pictures: what is in them, and that the files are what they say."""

from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.image import imread

from cloudchamber.score.walls import iou_per_sample, score_walls
from cloudchamber.show.picture import write_picture
from cloudchamber.show.plots import plot_calibration, plot_iou, plot_layers
from cloudchamber.show.slices import plot_slices
from cloudchamber.show.theme import inline_svg, png_bytes, svg_bytes


def test_layers_are_drawn_at_their_depth(volumes: Any) -> None:
    score = score_walls(volumes.preds, volumes.walls)
    axes = plot_layers(score, voxel_m=0.5).axes[0]
    assert axes.get_xlabel() == "depth below the top face (m)"
    depths_m, iou = axes.containers[0].lines[0].get_data()  # type: ignore[attr-defined]
    np.testing.assert_allclose(sorted(depths_m), np.arange(10) * 0.5 + 0.25)
    deepest = int(np.argmax(depths_m))
    assert iou[deepest] == pytest.approx(score.layers[0].iou.value)


def test_calibration_needs_probabilities(volumes: Any) -> None:
    with pytest.raises(ValueError, match="without probabilities"):
        plot_calibration(score_walls(volumes.preds, volumes.walls))


def test_histogram_holds_every_volume(volumes: Any) -> None:
    iou = iou_per_sample(volumes.preds, volumes.walls)
    axes = plot_iou(iou, score_walls(volumes.preds, volumes.walls).iou).axes[0]
    assert sum(bar.get_height() for bar in axes.patches) == len(iou)  # type: ignore[attr-defined]


def test_inline_svg_stands_in_a_page(volumes: Any) -> None:
    score = score_walls(volumes.preds, volumes.walls, volumes.probability)
    parts = [
        inline_svg(plot_layers(score), "a", 'IOU "of" layers'),
        inline_svg(plot_calibration(score), "b", "x < y"),
    ]
    root = ElementTree.fromstring(f"<div>{''.join(parts)}</div>")
    ids = Counter(element.get("id") for element in root.iter() if element.get("id"))
    assert max(ids.values()) == 1
    assert root[0].get("aria-label") == 'IOU "of" layers'
    assert all("var(--ink)" in part and "#1f2329" not in part for part in parts)
    for part in parts:
        for target in part.split("url(#")[1:]:
            assert f'id="{target.split(")")[0]}"' in part


def test_same_figure_same_bytes(volumes: Any) -> None:
    score = score_walls(volumes.preds, volumes.walls)
    assert svg_bytes(plot_layers(score)) == svg_bytes(plot_layers(score))
    assert png_bytes(plot_layers(score)).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("given", "rows"), [((), 1), (("walls",), 2), (("walls", "preds", "probability"), 4)]
)
def test_slices_show_what_is_there(volumes: Any, given: tuple[str, ...], rows: int) -> None:
    figure = plot_slices(volumes.x0_m[0], **{name: getattr(volumes, name)[0] for name in given})
    panels = [axes for axes in figure.axes if len(axes.images) == 10]
    assert len(panels) == rows
    first, last = panels[0].images[0].get_array(), panels[0].images[9].get_array()
    if "walls" in given:  # the highest layer comes first and is always soil
        assert first is not None
        assert last is not None
        assert np.ma.count(first) == 0
        assert np.ma.count(last) == volumes.walls[0, 0].sum()


def test_picture(volumes: Any, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    write_picture(path, volumes.x0_m[1], volumes.walls[1], volumes.preds[1], title="one")
    image = imread(path)
    assert image.shape[1] > image.shape[0] > 500
    assert np.unique(image[..., :3].reshape(-1, 3), axis=0).shape[0] > 100
