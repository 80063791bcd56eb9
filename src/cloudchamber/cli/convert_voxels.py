"""``cloudchamber convert larcv|pilarnet|to-larcv|to-pilarnet``: sparse events of others to ours and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudchamber.voxel_events import VoxelEvents

Output = Annotated[Path, Parameter(name=["-o", "--output"])]


def _write(source: Path, output: Path, n: int, blocks: "Iterator[VoxelEvents]") -> None:
    """Write blocks of events as a data set of ours and say what is in it."""
    from cloudchamber.progress import progress
    from cloudchamber.source.voxels import write_events

    voxels = 0

    def counted() -> "Iterator[VoxelEvents]":
        nonlocal voxels
        for block in blocks:
            voxels += len(block.energy_mev)
            advance(len(block))
            yield block

    with progress("converting", n, "events", plain=False) as advance:
        write_events(output, n, counted(), {"source": f"converted from {source.name}"})
    print(f"{output}: {n} events, {voxels} voxels")


def larcv(
    source: Path,
    *,
    output: Output,
    energies: str = "auto",
    labels: str = "auto",
    clusters: str = "auto",
    particles: str = "auto",
    unit: Literal["MeV", "GeV"] = "MeV",
    voxel_mm: float | None = None,
    overwrite: bool = False,
) -> None:
    """Turn a larcv2 ROOT file into a data set of ours; neither ROOT nor larcv is needed.

    Parameters
    ----------
    source
        ROOT file with sparse3d or cluster3d trees.
    output
        The HDF5 file to write.
    energies
        Producer of the sparse3d tree with energies; auto: data, or else the clusters; none: clusters.
    labels
        Producer of the sparse3d tree with the five classes; auto: fivetypes, or else they follow from the
        particles; none: they do.
    clusters
        Producer of the cluster3d tree with the voxels of each particle; auto: mcst, or the only one.
    particles
        Producer of the particle tree; auto: mcst, or the only one.
    unit
        The file's unit of energies and momenta.
    voxel_mm
        Size of a voxel, if the file's own (taken to be in cm) is not right.
    overwrite
        Replace the file if it exists.
    """
    from cloudchamber.errors import InputError
    from cloudchamber.source.larcv import LarcvChoice, count_larcv, iterate_larcv
    from cloudchamber.source.writer import check_target

    if voxel_mm is not None and not 1e-3 <= voxel_mm <= 1e4:
        raise InputError("--voxel-mm", "", "a size from 0.001 to 10000 mm", f"{voxel_mm:g}")
    check_target(output, overwrite)
    named = (None if name == "none" else name for name in (energies, labels, clusters, particles))
    roles = ("energies", "labels", "clusters", "particles")
    choice = LarcvChoice(**dict(zip(roles, named, strict=True)), unit=unit, voxel_mm=voxel_mm)
    _write(source, output, count_larcv(source, choice), iterate_larcv(source, choice))


def pilarnet(
    source: Path,
    *,
    output: Output,
    low_energy: Literal["shower", "drop"] = "shower",
    side: int = 768,
    voxel_mm: float = 3.0,
    overwrite: bool = False,
) -> None:
    """Turn a PILArNet-M HDF5 file (any revision) into a data set of ours.

    Parameters
    ----------
    source
        HDF5 file with point, cluster and (from v2 on) cluster_extra.
    output
        The HDF5 file to write.
    low_energy
        What to do with low-energy deposits, a class we do not have: call them showers or drop them.
    side
        Voxels along each axis.
    voxel_mm
        Their size.
    overwrite
        Replace the file if it exists.
    """
    from cloudchamber.errors import InputError
    from cloudchamber.source.pilarnet import count_pilarnet, iterate_pilarnet
    from cloudchamber.source.writer import check_target

    if not 1 <= side <= 2**16:
        raise InputError("--side", "", f"1 to {2**16} voxels", str(side))
    if not 1e-3 <= voxel_mm <= 1e4:
        raise InputError("--voxel-mm", "", "a size from 0.001 to 10000 mm", f"{voxel_mm:g}")
    check_target(output, overwrite)
    blocks = iterate_pilarnet(source, side=side, voxel_mm=voxel_mm, low_energy=low_energy)
    _write(source, output, count_pilarnet(source), blocks)


def to_larcv(source: Path, *, output: Output, overwrite: bool = False) -> None:
    """Write a data set of ours as a ROOT file with larcv2's names; uproot reads it, larcv does not.

    Parameters
    ----------
    source
        Data set of sparse events.
    output
        The ROOT file to write.
    overwrite
        Replace the file if it exists.
    """
    from cloudchamber.source.larcv_write import write_larcv
    from cloudchamber.source.voxels import iterate_events

    events = write_larcv(output, iterate_events(source), overwrite=overwrite)
    print(f"{output}: {events} events")


def to_pilarnet(
    source: Path, *, output: Output, revision: Literal[1, 2, 3] = 3, overwrite: bool = False
) -> None:
    """Write a data set of ours, with labels, as PILArNet-M files are.

    Parameters
    ----------
    source
        Data set of sparse events.
    output
        The HDF5 file to write.
    revision
        Revision of the format: 1 without kinds of particles, 2 without primaries, 3.
    overwrite
        Replace the file if it exists.
    """
    from cloudchamber.source.pilarnet_write import write_pilarnet
    from cloudchamber.source.voxels import iterate_events

    blocks = iterate_events(source, truth=True)
    print(f"{output}: {write_pilarnet(output, blocks, revision=revision, overwrite=overwrite)} events")
