"""What a page shows of one volume: its 3D views and its layers."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float
from markupsafe import Markup

from cloudchamber.show.page import safe_json
from cloudchamber.show.slices import plot_slices
from cloudchamber.show.theme import inline_svg
from cloudchamber.show.volumes import CUT_M, Grid, prediction_view, walls_view, x0_view


@dataclass(frozen=True)
class View:
    """One rotatable view, its name unique on the page."""

    name: str
    title: str
    alt: str
    json: Markup


@dataclass(frozen=True)
class Event:
    """One volume on a page."""

    title: str
    subtitle: str
    views: tuple[View, ...]
    slices: Markup
    classes: bool
    judged: bool


def _view(name: str, title: str, alt: str, figure: go.Figure) -> View:
    return View(name, title, alt, safe_json(figure.to_json()))


def show_event(
    name: str,
    x0_m: Float[np.ndarray, "z x y"],
    walls: Bool[np.ndarray, "z x y"] | None = None,
    pred: Bool[np.ndarray, "z x y"] | None = None,
    probability: Float[np.ndarray, "z x y"] | None = None,
    *,
    title: str = "",
    subtitle: str = "",
    cut_m: float = CUT_M,
    grid: Grid | None = None,
) -> Event:
    """Return truth, X0 input and prediction of one volume, as far as they are there, ready for a page.

    Parameters
    ----------
    name : unique on the page; goes into ids.
    x0_m, walls, pred, probability : the volume, axes (z, x, y), z = 0 the deepest layer; X0 in metres.
    cut_m : X0 below which voxels are drawn; where none is, all voxels are drawn as points.
    """
    grid = grid or Grid()
    views = []
    if walls is not None:
        walls = np.asarray(walls, bool)
        alt = f"3D view of the true walls, {int(walls.sum())} voxels"
        views.append(_view(f"{name}-truth", "truth", alt, walls_view(walls, grid=grid)))
    below = int(np.count_nonzero(np.asarray(x0_m) < cut_m))
    title_x0 = f"input: X0 below {1e3 * cut_m:.3g} mm" if below else "input: X0"
    alt = f"3D view of the X0 input, {below} voxels below {cut_m:g} m"
    figure = x0_view(x0_m, cut_m=cut_m, kind="cubes" if below else "points", grid=grid)
    views.append(_view(f"{name}-x0", title_x0, alt, figure))
    if pred is not None:
        pred = np.asarray(pred, bool)
        alt = f"3D view of the prediction, {int(pred.sum())} voxels"
        if walls is not None:
            missed, added = int((walls & ~pred).sum()), int((pred & ~walls).sum())
            alt = f"{alt}, {missed} missed and {added} added"
        views.append(_view(f"{name}-prediction", "prediction", alt, prediction_view(pred, walls, grid=grid)))
    figure_slices = plot_slices(x0_m, walls, pred, probability, grid=grid)
    alt = "The same volume layer by layer, from the highest to the deepest"
    classes = walls is not None or pred is not None
    judged = walls is not None and pred is not None
    svg = Markup(inline_svg(figure_slices, f"{name}-slices", alt))
    return Event(title, subtitle, tuple(views), svg, classes, judged)
