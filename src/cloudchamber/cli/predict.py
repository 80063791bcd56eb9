"""``cloudchamber predict``: a trained network on a data set."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def predict(
    bundle: str,
    file: Path,
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    symmetries: bool | None = None,
) -> None:
    """Predict where there is wall, what left the charge of each voxel, or the energy of each muon.

    Parameters
    ----------
    bundle
        A trained model: one of the package's by name (walls), a folder or a .zip.
    file
        HDF5 file with x0 in metres (and the other maps of the bundle, if it has any), axes (sample, z, x, y);
        or sparse events, or muons in a calorimeter. Targets are not needed.
    output
        HDF5 file to write: preds (0 or 1) and probability; of muons energy_gev with the ends of an interval.
    symmetries
        Average over the symmetric views of each image: eight times the work (of muons four times), a slightly
        better answer. Unless said, as the bundle's card says.
    """
    from cloudchamber.infer.bundle import load_bundle, task_of_bundle

    task = task_of_bundle(bundle)
    if task == "energy":
        from cloudchamber.infer.energy_bundle import load_energy_bundle
        from cloudchamber.infer.energy_predict import predict_energy_file

        predict_energy_file(load_energy_bundle(bundle), file, output, symmetries=symmetries)
        print(output)
        return
    if task == "voxels":
        from cloudchamber.infer.voxels_bundle import load_voxels_bundle
        from cloudchamber.infer.voxels_predict import predict_voxels_file

        predict_voxels_file(load_voxels_bundle(bundle), file, output, symmetries=symmetries)
        print(output)
        return
    from cloudchamber.infer.files import predict_file

    predict_file(load_bundle(bundle), file, output, symmetries=symmetries)
    print(output)
