"""Rotatable views of one volume: walls, radiation lengths, and predictions against the truth."""

from typing import Any, Literal, NamedTuple

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float

from cloudchamber.show.cubes import edges, exposed_faces, triangles
from cloudchamber.show.theme import ADDED, EDGE, MISSED, WALL, X0_COLOURS, X0_TICKS_M

CUT_M = 0.01152
_AXIS = {"showbackground": False, "zeroline": False, "tickangle": 0, "showspikes": False}
_LIGHTING = {
    "ambient": 0.62, "diffuse": 0.55, "specular": 0.04, "roughness": 0.9, "fresnel": 0.02,
    "vertexnormalsepsilon": 0.0, "facenormalsepsilon": 0.0,
}  # fmt: skip


class Grid(NamedTuple):
    """Where the voxels of a volume lie: x and y from 0, z from ``base_m``."""

    voxel_m: float = 1.0
    base_m: float = 1.0


def _cubes(
    voxels: Bool[np.ndarray, "z x y"],
    grid: Grid,
    name: str,
    *,
    colour: str | None = None,
    value: Float[np.ndarray, "z x y"] | None = None,
    hidden_by: Bool[np.ndarray, "z x y"] | None = None,
    outline: bool = True,
    **mesh: Any,
) -> list[Any]:
    """Return the traces of a set of cubes: their faces in one mesh, their edges as lines."""
    if not voxels.any():
        return []
    faces = exposed_faces(voxels, hidden_by=hidden_by, voxel_m=grid.voxel_m, base_m=grid.base_m)
    x, y, z = faces.corners_m.reshape(-1, 3).T.astype(np.float32)
    i, j, k = triangles(len(faces.voxel)).T.astype(np.uint32)
    paint: dict[str, Any] = {"color": colour}
    if value is not None:
        paint = {"intensity": np.repeat(value[tuple(faces.voxel.T)], 2), "intensitymode": "cell"}
    traces = [
        go.Mesh3d(
            x=x, y=y, z=z, i=i, j=j, k=k, name=name, flatshading=True, lighting=_LIGHTING,
            lightposition={"x": -4000, "y": -9000, "z": 14000}, hoverinfo="skip", **paint, **mesh,
        )
    ]  # fmt: skip
    if outline:
        ends = edges(faces.corners_m)
        gaps = np.concatenate([ends, np.full((len(ends), 1, 3), np.nan)], axis=1).reshape(-1, 3)
        line_x, line_y, line_z = gaps.T.astype(np.float32)
        traces.append(
            go.Scatter3d(
                x=line_x, y=line_y, z=line_z, mode="lines", name=f"{name}, edges", hoverinfo="skip",
                line={"color": EDGE, "width": 1.5}, showlegend=False,
            )
        )  # fmt: skip
    return traces


def _figure(traces: list[Any], shape: tuple[int, ...], grid: Grid) -> go.Figure:
    nz, nx, ny = shape
    size_m = {"x": nx * grid.voxel_m, "y": ny * grid.voxel_m, "z": nz * grid.voxel_m}
    start_m = {"x": 0.0, "y": 0.0, "z": grid.base_m}
    axes = {
        f"{axis}axis": {
            **_AXIS, "title": {"text": f"{axis} (m)"}, "tick0": 0, "dtick": max(size_m.values()) / 5,
            "range": [start_m[axis], start_m[axis] + size_m[axis]],
        }
        for axis in "xyz"
    }  # fmt: skip
    largest = max(size_m.values())
    layout = {
        "template": {},
        "scene": {
            **axes,
            "aspectmode": "manual",
            "aspectratio": {axis: size / largest for axis, size in size_m.items()},
            "camera": {
                "eye": {"x": 1.38, "y": -1.95, "z": 0.98},
                "center": {"x": -0.06, "y": -0.05, "z": -0.17},
                "projection": {"type": "perspective"},
            },
            "dragmode": "turntable",
            "hovermode": False,
        },
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "uirevision": "keep",
    }
    return go.Figure(traces, layout)


def walls_view(
    walls: Bool[np.ndarray, "z x y"], *, grid: Grid | None = None, outline: bool = True
) -> go.Figure:
    """Return walls as solid cubes; axes in metres, z up, equal scales."""
    grid = grid or Grid()
    return _figure(_cubes(walls, grid, "wall", colour=WALL, outline=outline), walls.shape, grid)


def prediction_view(
    pred: Bool[np.ndarray, "z x y"],
    walls: Bool[np.ndarray, "z x y"] | None = None,
    *,
    grid: Grid | None = None,
    outline: bool = True,
) -> go.Figure:
    """Return a prediction as cubes: correct, missed and added voxels in colours of their own."""
    grid = grid or Grid()
    if walls is None:
        return walls_view(pred, grid=grid, outline=outline)
    pred, walls = np.asarray(pred, bool), np.asarray(walls, bool)
    parts = (
        ("correct", pred & walls, WALL),
        ("missed", walls & ~pred, MISSED),
        ("added", pred & ~walls, ADDED),
    )
    traces = [
        trace
        for name, voxels, colour in parts
        for trace in _cubes(voxels, grid, name, colour=colour, hidden_by=pred | walls, outline=outline)
    ]
    return _figure(traces, walls.shape, grid)


def log10_x0(x0_m: Float[np.ndarray, "z x y"]) -> Float[np.ndarray, "z x y"]:
    """Return log10 of radiation lengths in metres; what is not positive counts as a nanometre."""
    return np.log10(np.maximum(np.nan_to_num(np.asarray(x0_m, dtype=np.float64), nan=1e-9), 1e-9))


def colour_range(x0_m: Float[np.ndarray, "z x y"]) -> tuple[float, float]:
    """Return the log10 of X0 in metres at which colours begin and end: 1st and 99th percentile."""
    low, high = np.percentile(log10_x0(x0_m), [1, 99])
    return float(low), float(max(high, low + 0.1))


def x0_view(
    x0_m: Float[np.ndarray, "z x y"],
    *,
    cut_m: float = CUT_M,
    kind: Literal["cubes", "points"] = "cubes",
    grid: Grid | None = None,
) -> go.Figure:
    """Return radiation lengths, coloured by log10 X0 with a colour bar in metres.

    Parameters
    ----------
    x0_m : X0 in metres (z, x, y).
    cut_m : cubes: only voxels below it are drawn; by default the challenge's best single cut.
    kind : cubes below the cut, or a point in the middle of every voxel.
    """
    grid = grid or Grid()
    value = log10_x0(x0_m)
    low, high = colour_range(x0_m)
    if kind == "cubes":
        high = max(float(np.log10(cut_m)), low + 0.1)
    ticks = [tick for tick in X0_TICKS_M if low <= np.log10(tick) <= high]
    if kind == "cubes":
        ticks = sorted({*ticks, cut_m, 10**low})
    bar = {
        "title": {"text": "X<sub>0</sub> (m)", "side": "top"}, "orientation": "h", "thickness": 8,
        "len": 0.75, "x": 0.5, "xanchor": "center", "y": 1.0, "yanchor": "top", "outlinewidth": 0,
        "tickvals": [float(np.log10(tick)) for tick in ticks], "ticktext": [f"{tick:.3g}" for tick in ticks],
    }  # fmt: skip
    paint: dict[str, Any] = {"colorscale": X0_COLOURS, "reversescale": False, "cmin": low, "cmax": high}
    if kind == "cubes":
        below = np.asarray(x0_m) < cut_m
        traces = _cubes(
            below,
            grid,
            f"X0 below {cut_m:g} m",
            value=value,
            colorbar=bar,
            showscale=True,
            **paint,
        )
    else:
        middle = (np.indices(x0_m.shape).reshape(3, -1) + 0.5) * grid.voxel_m
        traces = [
            go.Scatter3d(
                x=middle[1], y=middle[2], z=middle[0] + grid.base_m, mode="markers", name="X0",
                customdata=np.asarray(x0_m, np.float64).ravel(),
                hovertemplate="x %{x} m, y %{y} m, z %{z} m<br>X0 %{customdata:.3g} m<extra></extra>",
                marker={"size": 3, "color": value.ravel(), "colorbar": bar, **paint},
            )
        ]  # fmt: skip
    figure = _figure(traces, x0_m.shape, grid)
    figure.update_layout(scene_hovermode="closest" if kind == "points" else False)
    return figure
