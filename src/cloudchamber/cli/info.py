"""``cloudchamber info``: what a data set is like."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from cloudchamber.source.fingerprint import Fingerprint


def info(file: Path, *, json: bool = False) -> None:
    """Describe a data set: counts, balance of classes or energies, X0 per layer of walls, its origin.

    Parameters
    ----------
    file
        HDF5 file with walls (x0, and targs if it has targets), sparse events, muons in a calorimeter
        (LUMIN's fold files too), predicted energies, readouts of wires, or predictions of them.
    json
        Print everything as JSON.
    """
    from cloudchamber.source.kinds import task_of

    task = task_of(file)
    if task == "voxels":
        from cloudchamber.cli.info_voxels import print_voxels_info

        print_voxels_info(file, json)
        return
    if task == "energy":
        from cloudchamber.cli.info_energy import print_energy_info

        print_energy_info(file, json)
        return
    if task == "wires":
        from cloudchamber.cli.info_wires import print_wires_info

        print_wires_info(file, json)
        return
    if task in ("beam", "hits"):
        from cloudchamber.cli.info_wire_predictions import print_wire_predictions_info

        print_wire_predictions_info(file, json)
        return
    from cloudchamber.source.fingerprint import fingerprint

    found = fingerprint(file)
    if json:
        print(found.model_dump_json(indent=2))
        return
    from rich.console import Console

    console = Console(soft_wrap=False)
    console.print(_summary(found))
    console.print(_layers(found))


def _summary(found: "Fingerprint") -> "Table":
    from rich.table import Table

    table = Table(title=str(found.path), show_header=False)
    rows: dict[str, object] = {
        "samples": found.samples,
        "voxels (z, x, y)": found.shape,
        "X0 mean ± std (m)": f"{found.x0_mean_m:.4f} ± {found.x0_std_m:.3f}",
        "X0 range (m)": f"{found.x0_range_m[0]:.3g} to {found.x0_range_m[1]:.3g}",
    }
    if found.wall_voxels_range is not None:
        rows["wall fraction"] = f"{found.wall_fraction:.4f}"
        rows["wall voxels per sample"] = (
            f"{found.wall_voxels_mean:.1f} ± {found.wall_voxels_std:.1f}, "
            f"{found.wall_voxels_range[0]} to {found.wall_voxels_range[1]}"
        )
    rows |= {f"SHA-256 of {name}": digest for name, digest in found.sha256.items()}
    rows |= {name: value for name, value in found.attributes.items() if name != "config"}
    config = found.attributes.get("config")
    if isinstance(config, dict):
        rows |= {f"config {key}": value for key, value in config.items()}
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, _plain(value))
    return table


def _layers(found: "Fingerprint") -> "Table":
    from rich.table import Table

    table = Table(title="X0 per layer, in metres (z = 0 deepest)")
    for name in ("z", "wall fraction", "soil median", "soil mean", "wall median", "wall mean"):
        table.add_column(name, justify="right")
    for layer in found.layers:
        values = (layer.soil_median_m, layer.soil_mean_m, layer.wall_median_m, layer.wall_mean_m)
        fraction = "-" if layer.wall_fraction is None else f"{layer.wall_fraction:.3f}"
        table.add_row(str(layer.z), fraction, *("-" if v is None else f"{v:.4f}" for v in values))
    return table


def _plain(value: object) -> str:
    """Return a value as text in which rich sees no markup."""
    from rich.markup import escape

    if isinstance(value, dict):
        return escape(", ".join(f"{key} {_plain(item)}" for key, item in value.items()))
    return escape(str(value))
