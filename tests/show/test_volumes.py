"""3D views: what is drawn, where, in which colours."""

from typing import Any

import numpy as np
import pytest

from cloudchamber.show.theme import ADDED, MISSED, WALL
from cloudchamber.show.volumes import Grid, colour_range, log10_x0, prediction_view, walls_view, x0_view


def meshes(figure: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data if trace.type == "mesh3d"}


def test_axes_are_metres_with_equal_scales() -> None:
    walls = np.zeros((4, 10, 5), bool)
    walls[0, 9, 4] = True
    figure = walls_view(walls, grid=Grid(voxel_m=0.5, base_m=2.0))
    scene = figure.layout.scene
    assert [scene[f"{axis}axis"].title.text for axis in "xyz"] == ["x (m)", "y (m)", "z (m)"]
    assert scene.zaxis.range == (2.0, 4.0)
    assert (scene.aspectratio.x, scene.aspectratio.y, scene.aspectratio.z) == (1.0, 0.5, 0.4)
    mesh = meshes(figure)["wall"]
    assert (min(mesh.x), max(mesh.y), min(mesh.z)) == (4.5, 2.5, 2.0)


def test_prediction_tells_right_from_wrong(volumes: Any) -> None:
    found = meshes(prediction_view(volumes.preds[0], volumes.walls[0]))
    assert {name: mesh.color for name, mesh in found.items()} == {
        "correct": WALL,
        "missed": MISSED,
        "added": ADDED,
    }
    perfect = meshes(prediction_view(volumes.walls[0], volumes.walls[0]))
    assert list(perfect) == ["correct"]
    assert list(meshes(prediction_view(volumes.preds[0]))) == ["wall"]


def test_x0_is_coloured_by_its_logarithm(volumes: Any) -> None:
    x0_m = volumes.x0_m[0]
    (mesh,) = meshes(x0_view(x0_m, cut_m=0.012)).values()
    assert max(mesh.intensity) < np.log10(0.012)
    assert len(mesh.intensity) == len(mesh.i)
    assert mesh.colorbar.title.text == "X<sub>0</sub> (m)"
    assert [float(text) for text in mesh.colorbar.ticktext] == pytest.approx(
        [10**value for value in mesh.colorbar.tickvals], rel=1e-2
    )


def test_x0_as_points_shows_every_voxel(volumes: Any) -> None:
    (points,) = x0_view(volumes.x0_m[0], kind="points").data
    assert len(points.x) == 1000
    k = int(np.ravel_multi_index((7, 2, 5), (10, 10, 10)))
    assert (points.x[k], points.y[k], points.z[k]) == (2.5, 5.5, 8.5)
    assert points.marker.color[k] == pytest.approx(np.log10(volumes.x0_m[0, 7, 2, 5]), rel=1e-5)


def test_nothing_to_draw_is_an_empty_scene() -> None:
    assert len(walls_view(np.zeros((3, 3, 3), bool)).data) == 0
    assert len(x0_view(np.full((3, 3, 3), 0.3)).data) == 0


def test_bad_numbers_do_not_spoil_the_colours() -> None:
    x0_m = np.array([0.0, np.nan, -1.0, 0.01]).reshape(1, 2, 2)
    assert np.isfinite(log10_x0(x0_m)).all()
    low, high = colour_range(np.full((2, 2, 2), 0.1))
    assert high > low
