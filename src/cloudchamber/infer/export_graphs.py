"""What is exported of a bundle: a graph from what is measured to probabilities, with names for all ends."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from cloudchamber import __version__
from cloudchamber.errors import InputError
from cloudchamber.infer.beam_bundle import load_beam_bundle
from cloudchamber.infer.bundle import Bundle, about_card, load_bundle, task_of_bundle
from cloudchamber.infer.energy_bundle import load_energy_bundle
from cloudchamber.infer.export_beam import beam_exportable
from cloudchamber.infer.export_energy import energy_exportable
from cloudchamber.infer.exportable import Exportable
from cloudchamber.infer.hits_bundle import HitsBundle, load_hits_bundle
from cloudchamber.infer.hits_engines.whole_plane import reach_of
from cloudchamber.infer.voxels_bundle import VoxelsBundle, load_voxels_bundle
from cloudchamber.model.hits_plane import HitsPlane
from cloudchamber.model.sparse.tables import RowTable, TableGeometry, TableLevel, table_names, tables_of
from cloudchamber.model.voxels_uresnet import SparseUResNet
from cloudchamber.prepare.symmetries import count_symmetries, inverse, transform

ROWS = 24  # of the sparse example that a graph is traced with


class WallsGraph(nn.Module):
    """From maps in their units to the probability of wall, over symmetric views if the bundle says."""

    def __init__(self, bundle: Bundle, size: tuple[int, int, int]) -> None:
        super().__init__()
        self.network, self.inputs = bundle.network, bundle.config.inputs
        self.views = range(count_symmetries(*size[1:]) if bundle.config.symmetries else 1)

    def forward(self, maps: Float[Tensor, "n map z x y"]) -> Float[Tensor, "n z x y"]:
        """Return probabilities; the views go through the network as one batch."""
        x = self.inputs(maps)
        seen = torch.cat([transform(x, view) for view in self.views])
        probability = self.network(seen)[:, 0].sigmoid().unflatten(0, (len(self.views), -1))
        views = [transform(probability[k], inverse(view)) for k, view in enumerate(self.views)]
        return torch.stack(views).mean(dim=0)


class HitsGraph(nn.Module):
    """Softmax and sigmoid at the ends of a network for hits, as the experiments' C++ reads them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, main_input: Float[Tensor, "n 1 wire drift"]) -> Any:
        """Return probabilities of track, em and none, and of Michel; or of the kinds of vertex."""
        out = self.network(main_input)
        if isinstance(out, Tensor):
            return torch.softmax(out, dim=1)
        return torch.softmax(out[0], dim=1), torch.sigmoid(out[1])


class VoxelsGraph(nn.Module):
    """From features of voxels and tables of their neighbours to the probability of each class."""

    def __init__(self, network: SparseUResNet, log_weights: tuple[float, ...]) -> None:
        super().__init__()
        self.network, self.levels = network, network.config.levels
        self.register_buffer("log_weights", torch.tensor(log_weights or [0.0]), persistent=True)

    def forward(
        self, features: Float[Tensor, "voxel channel"], *tables: Int64[Tensor, "place row"]
    ) -> Float[Tensor, "voxel class"]:
        """Return probabilities; the tables are those of ``tables_of`` in their order."""
        named = dict(zip(table_names(self.levels), map(RowTable, tables), strict=True))
        levels = [
            TableLevel(named[f"neighbours_{k}"], named.get(f"down_{k}"), named.get(f"up_{k}"))
            for k in range(self.levels)
        ]
        logits = self.network(features, TableGeometry(self.network.config.dimension, levels))
        return torch.softmax(logits - self.log_weights, dim=1)


def _walls(name: str | Path) -> Exportable:
    bundle = load_bundle(name)
    options = bundle.config.options
    size = tuple(options.get("size", (10, 10, 10)))
    maps = bundle.config.inputs.names
    about = {"maps": list(maps), "thresholds": bundle.config.thresholds.model_dump(mode="json")}
    example = torch.rand(2, len(maps), *size) + 0.1
    return Exportable(
        bundle.config.name, WallsGraph(bundle, (size[0], size[1], size[2])), (example,), ("maps",),
        ("probability",), ({0: "sample"},), about | {"card": bundle.about},
    )  # fmt: skip


def hits_about(bundle: HitsBundle) -> dict[str, Any]:
    """Return what it takes to run an exported network for hits on a file, without torch."""
    config = bundle.config
    about: dict[str, Any] = {
        "reads": bundle.reads, "scale": config.scale.model_dump(mode="json"), "pitch_mm": config.pitch_mm,
        "drift_mm": config.drift_mm, "card": about_card(bundle.card),
    }  # fmt: skip
    if isinstance(bundle.network, HitsPlane):
        reach = reach_of(bundle.network)
        about |= {"reach": reach.pixels, "fold": reach.fold, "pixel_bytes": reach.pixel_bytes}
    return about


def hits_exportable(bundle: HitsBundle) -> Exportable:
    """Return the graph of a network for hits, with the names of the experiments' C++."""
    outputs: tuple[str, ...] = ("em_trk_none_netout", "michel_netout")
    dynamic = {0: "sample"}
    if bundle.reads == "plane":
        example, dynamic = torch.rand(2, 1, 40, 44), {0: "sample", 2: "wire", 3: "drift"}
    else:
        side = int(bundle.network.config.patch)  # type: ignore[union-attr, arg-type]
        example = torch.rand(2, 1, side, side)
        outputs = outputs if bundle.reads == "patch" else ("vertex_netout",)
    return Exportable(
        bundle.config.name, HitsGraph(bundle.network), (example,), ("main_input",), outputs, (dynamic,),
        hits_about(bundle),
    )  # fmt: skip


def voxels_exportable(bundle: VoxelsBundle) -> Exportable:
    """Return the graph of a sparse U-ResNet; its tables come from ``model.sparse.tables.tables_of``.

    Raises
    ------
    InputError
        if the network is another one.
    """
    network, config = bundle.network, bundle.config
    if not isinstance(network, SparseUResNet):
        raise InputError(config.name, "", "a sparse U-ResNet, to be exported", config.network)
    levels, dimension = network.config.levels, network.config.dimension
    places = torch.unique(torch.randint(0, 2 ** (levels + 1), (ROWS, dimension)), dim=0)
    coordinates = torch.cat([torch.zeros(len(places), 1, dtype=torch.int64), places], dim=1)
    tables = tables_of(coordinates, levels)
    dynamic = [{0: "voxels_0"}]
    for name in tables:
        level = int(name.rsplit("_", 1)[1])
        dynamic.append({1: f"voxels_{level + name.startswith('down')}"})
    about = {
        "energy": config.energy, "voxel_mm": config.voxel_mm, "levels": levels,
        "card": about_card(bundle.card),
    }  # fmt: skip
    features = torch.rand(len(coordinates), network.config.channels_in)
    return Exportable(
        config.name, VoxelsGraph(network, config.log_weights), (features, *tables.values()),
        ("features", *tables), ("probability",), tuple(dynamic), about, batched=False,
    )  # fmt: skip


EXPORTERS: dict[str, Callable[[str | Path], Exportable]] = {
    "walls": _walls,
    "beam": lambda name: beam_exportable(load_beam_bundle(name)),
    "energy": lambda name: energy_exportable(load_energy_bundle(name)),
    "hits": lambda name: hits_exportable(load_hits_bundle(name)),
    "voxels": lambda name: voxels_exportable(load_voxels_bundle(name)),
}


def load_exportable(name: str | Path) -> Exportable:
    """Return the graph of a bundle, a folder or .zip by path or one of the package's by name.

    Raises
    ------
    InputError
        if there is no such bundle, or none of its task can be exported.
    """
    task = task_of_bundle(name)
    if task not in EXPORTERS:
        raise InputError(
            name, "task", f"a model for {', '.join(EXPORTERS)}, which can be exported", repr(task)
        )
    found = EXPORTERS[task](name)
    found.graph.eval()
    found.about.update(task=task, name=found.name, version=__version__)
    return found
