"""A page with one volume: 3D views and layers."""

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from cloudchamber.files import write_text
from cloudchamber.score.walls import iou_per_sample
from cloudchamber.show.event import show_event
from cloudchamber.show.page import render_page
from cloudchamber.show.volumes import CUT_M, Grid


def write_display(
    path: Path,
    x0_m: Float[np.ndarray, "z x y"],
    walls: Bool[np.ndarray, "z x y"] | None = None,
    preds: Bool[np.ndarray, "z x y"] | None = None,
    probability: Float[np.ndarray, "z x y"] | None = None,
    *,
    title: str = "One volume",
    cut_m: float = CUT_M,
    voxel_m: float = 1.0,
    base_m: float = 1.0,
) -> None:
    """Write a self-contained HTML page with the 3D views and the layers of one volume.

    Parameters
    ----------
    path : where the page goes.
    x0_m : radiation lengths in metres, axes (z, x, y), z = 0 the deepest layer.
    walls, preds, probability : truth, prediction and probability of wall, where there are any.
    cut_m : X0 below which voxels are drawn in 3D.
    voxel_m, base_m : side of a voxel; height of the lower face of the volume above z = 0.

    Raises
    ------
    InputError
        if the path cannot be written.
    """
    nz, nx, ny = x0_m.shape
    parts = [f"{nx} × {ny} × {nz} voxels (x, y, z) of {voxel_m:g} m"]
    if walls is not None:
        parts.append(f"{int(np.count_nonzero(walls))} wall voxels")
    if preds is not None:
        parts.append(f"{int(np.count_nonzero(preds))} predicted")
    if walls is not None and preds is not None:
        parts.append(f"IOU {iou_per_sample(preds[None], walls[None])[0]:.3f}")
    event = show_event(
        "volume", x0_m, walls, preds, probability,
        subtitle=" · ".join(parts), cut_m=cut_m, grid=Grid(voxel_m, base_m),
    )  # fmt: skip
    write_text(Path(path), render_page("display.html", title=title, event=event))
