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
    """Predict where there is wall.

    Parameters
    ----------
    bundle
        A trained model: one of the package's by name (walls), a folder or a .zip.
    file
        HDF5 file with x0 in metres (and the other maps of the bundle, if it has any), axes (sample, z, x, y);
        targets are not needed.
    output
        HDF5 file to write: preds (0 or 1) and probability.
    symmetries
        Average over the symmetric views of each volume: eight times the work, a slightly better answer.
        Unless said, as the bundle's card says.
    """
    from cloudchamber.infer.bundle import load_bundle
    from cloudchamber.infer.files import predict_file

    predict_file(load_bundle(bundle), file, output, symmetries=symmetries)
    print(output)
