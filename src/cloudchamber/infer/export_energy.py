"""Networks for the energy of muons, to be exported: from cells and features to energies in GeV.

What comes out is what the networks say, the mean over copies weighted by 1 / loss. The curves that correct it
go along as metadata.
"""

from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from cloudchamber.errors import InputError
from cloudchamber.infer.bundle import about_card
from cloudchamber.infer.energy_bundle import EnergyBundle
from cloudchamber.infer.exportable import Exportable
from cloudchamber.model.sparse.tables import (
    RowTable,
    TableGeometry,
    TableLevel,
    down_names,
    parents_of,
    tables_of,
)
from cloudchamber.prepare.muon_features import FEATURES
from cloudchamber.score.energy_ensemble import loss_weights

MUONS, CELLS = 3, 60  # of the sparse example that a graph is traced with


class EnergyGraph(nn.Module):
    """What the graphs of all networks for energies have in common."""

    mean: Tensor
    std: Tensor

    def __init__(self, bundle: EnergyBundle) -> None:
        super().__init__()
        config = bundle.config
        self.networks, self.output = nn.ModuleList(bundle.networks), config.output
        self.weights = [float(weight) for weight in loss_weights(config.losses)]
        self.scale = config.features
        if config.features is not None:
            self.register_buffer("mean", torch.tensor(config.features.mean, dtype=torch.float64))
            self.register_buffer("std", torch.tensor(config.features.std, dtype=torch.float64))

    def standardised(self, features: Float[Tensor, "muon feature"]) -> Float[Tensor, "muon feature"]:
        """Return what a :class:`FeatureScale` returns; arsinh v = sign(v) ln(|v| + sqrt(v^2 + 1))."""
        values = features.double()
        if self.scale is not None and self.scale.transform == "arcsinh":
            size = values.abs()
            values = values.sign() * torch.log(size + torch.sqrt(size * size + 1))
        return ((values - self.mean) / self.std).float()

    def joined(self, outs: list[Float[Tensor, "muon output"]]) -> Tensor | tuple[Tensor, Tensor]:
        """Return energies and, if there are levels, quantiles (muon, level), of what the copies gave."""
        pairs = list(zip(self.weights, outs, strict=True))
        energy = torch.stack([weight * self.output.energy(out) for weight, out in pairs]).sum(dim=0)
        if not self.output.levels:
            return energy
        quantiles = torch.stack([weight * self.output.quantiles(out) for weight, out in pairs])
        return energy, quantiles.sum(dim=0)


class GridEnergyGraph(EnergyGraph):
    """From whole grids of cells, features, or both."""

    def __init__(self, bundle: EnergyBundle, inputs: tuple[str, ...]) -> None:
        super().__init__(bundle)
        self.inputs = inputs

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Return energies and quantiles of ``cells_gev`` (muon, z, x, y) and ``features`` in their units."""
        named = dict(zip(self.inputs, inputs, strict=True))
        features = self.standardised(named["features"]) if "features" in named else None
        grid = named["cells_gev"][:, None] if "cells_gev" in named else None
        return self.joined([network(grid, features) for network in self.networks])


class CellsEnergyGraph(EnergyGraph):
    """From cells that hold energy, tables of their neighbours, and features."""

    def __init__(self, bundle: EnergyBundle, halvings: int) -> None:
        super().__init__(bundle)
        self.halvings = halvings

    def forward(
        self,
        cells_gev: Float[Tensor, "cell"],
        coordinates: Int64[Tensor, "cell 4"],
        features: Float[Tensor, "muon feature"],
        *tables: Int64[Tensor, "place row"],
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Return energies and quantiles; the tables are those of ``down_names`` in their order."""
        named = dict(zip(down_names(self.halvings), map(RowTable, tables), strict=True))
        levels, places = [], coordinates
        for number in range(self.halvings + 1):
            down = named.get(f"down_{number}")
            levels.append(TableLevel(named.get(f"neighbours_{number}"), down, coordinates=places))
            places = places if down is None else parents_of(places, down)
        geometry, standardised = TableGeometry(3, levels), self.standardised(features)
        return self.joined([network(cells_gev, geometry, standardised) for network in self.networks])


def cell_inputs(
    cells_gev: Float[Tensor, "cell"],
    coordinates: Int64[Tensor, "cell 4"],
    features: Float[Tensor, "muon feature"],
    halvings: int,
    least_mev: float = 0.0,
) -> dict[str, Tensor]:
    """Return what an exported sparse network reads, by name, of cells, each of which stands once.

    Parameters
    ----------
    coordinates : muon (from 0), iz, ix, iy.
    features : in their units.
    halvings, least_mev : as the network's metadata say.
    """
    kept = cells_gev >= 1e-3 * least_mev
    cells_gev, coordinates = cells_gev[kept], coordinates[kept]
    tables = tables_of(coordinates, halvings + 1, down_names(halvings))
    return {"cells_gev": cells_gev, "coordinates": coordinates, "features": features, **tables}


def energy_exportable(bundle: EnergyBundle) -> Exportable:
    """Return the graph of a network for energies, dense or sparse.

    Raises
    ------
    InputError
        if it is a sparse one that reads no features: nothing would tell how many muons there are.
    """
    config, network = bundle.config, bundle.networks[0]
    outputs = ("energy_gev", "quantiles_gev") if config.output.levels else ("energy_gev",)
    about = _about(bundle)
    features = 3 * torch.rand(MUONS, 0 if config.features is None else len(config.features.mean))
    if network.reads == "cells":
        if config.features is None:
            raise InputError(config.name, "", "a sparse network that reads features, to be exported", "none")
        options: Any = network.config
        halvings, shape = len(options.widths), options.shape
        places = torch.unique(
            torch.stack([torch.randint(side, (CELLS,)) for side in (MUONS, *shape)], dim=1), dim=0
        )
        read = cell_inputs(torch.rand(len(places)) + 0.01, places, features, halvings)
        dynamic = [{0: "cells_0"}, {0: "cells_0"}, {0: "muon"}]
        for name in down_names(halvings):
            kind, level = name.rsplit("_", 1)
            dynamic.append({1: f"cells_{int(level) + (kind == 'down')}"})
        about |= {"halvings": halvings, "least_mev": options.least_mev}
        return Exportable(
            config.name, CellsEnergyGraph(bundle, halvings), tuple(read.values()), tuple(read), outputs,
            tuple(dynamic), about, batched=False,
        )  # fmt: skip
    read = {}
    if getattr(network.config, "cnn", True):
        read["cells_gev"] = torch.rand(MUONS, *config.grid.shape)
    if config.features is not None:
        read["features"] = features
    return Exportable(
        config.name, GridEnergyGraph(bundle, tuple(read)), tuple(read.values()), tuple(read), outputs,
        tuple({0: "muon"} for _ in read), about,
    )  # fmt: skip


def _about(bundle: EnergyBundle) -> dict[str, Any]:
    config = bundle.config
    curves = {"calibration": config.calibration, "deck": config.deck, "intervals": config.intervals}
    shape, layer_mm, cell_mm = config.grid.shape, config.grid.layer_mm, config.grid.cell_mm
    return {
        "reads": str(bundle.networks[0].reads), "quantile_levels": list(config.output.levels),
        "features": [] if config.features is None else [feature.name for feature in FEATURES],
        "grid": {"shape": list(shape), "layer_mm": layer_mm, "cell_mm": cell_mm},
        "symmetries": config.symmetries, "card": about_card(bundle.card),
        "curves": {name: curve.model_dump(mode="json") for name, curve in curves.items() if curve},
    }  # fmt: skip
