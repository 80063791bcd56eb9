"""``cloudchamber convert``: the files of others to ours and back, our predictions to a submission."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from cyclopts import App, Parameter

app = App(name="convert", help="Convert the files of others to ours and back.")
for _name in ("larcv", "pilarnet", "to_larcv", "to_pilarnet"):
    app.command(f"cloudchamber.cli.convert_voxels:{_name}", name=_name.replace("_", "-"))
for _name in ("point_id", "image2d", "frames", "to_point_id"):
    app.command(f"cloudchamber.cli.convert_wires:{_name}", name=_name.replace("_", "-"))
for _name in ("lumin", "to_lumin"):
    app.command(f"cloudchamber.cli.convert_energy:{_name}", name=_name.replace("_", "-"))
Output = Annotated[Path, Parameter(name=["-o", "--output"])]


@app.command
def walls(source: Path, *, output: Output, overwrite: bool = False) -> None:
    """Turn the challenge's train.h5, test.h5 or test_private.h5 into a data set of ours.

    Parameters
    ----------
    source
        HDF5 file with x0, and targs if it has targets.
    output
        The HDF5 file to write.
    overwrite
        Replace the file if it exists.
    """
    from cloudchamber.source.challenge import convert_walls

    samples = convert_walls(source, output, overwrite=overwrite)
    print(f"{output}: {samples} samples")


@app.command
def split(source: Path, *, output: Output, overwrite: bool = False) -> None:
    """Split the challenge's test set into its public (5036) and private (25,000) parts.

    Parameters
    ----------
    source
        The test set, 30,036 samples.
    output
        Folder for public.h5 and private.h5.
    overwrite
        Replace the files if they exist.
    """
    from cloudchamber.source.challenge import convert_split

    for name, samples in convert_split(source, output, overwrite=overwrite).items():
        print(f"{output / name}.h5: {samples} samples")


@app.command
def submission(
    source: Path,
    *,
    name: str,
    idx: Annotated[str, Parameter(name="--id")],
    bundle: str | None = None,
    output: Output = Path(),
    overwrite: bool = False,
) -> None:
    """Write the file that the challenge takes, NAME_IDXX.h5: from predictions, or from its test set itself.

    Parameters
    ----------
    source
        Our predictions, 30,036 samples; with --bundle the challenge's test.h5.
    name
        Name of the participant.
    idx
        Number of the submission, two digits.
    bundle
        Predict with this trained model: one of the package's by name (walls/best), a folder or a .zip.
    output
        Folder to write to.
    overwrite
        Replace the file if it exists.
    """
    from cloudchamber.source.challenge import check_test_set, submission_path, write_submission
    from cloudchamber.source.writer import nearest_folder

    if bundle is None:
        print(write_submission(source, output, name, idx, overwrite=overwrite))
        return
    path = submission_path(output, name, idx, overwrite=overwrite)
    check_test_set(source)
    from cloudchamber.infer.bundle import load_bundle
    from cloudchamber.infer.files import predict_file

    with TemporaryDirectory(dir=nearest_folder(path), prefix=f".{path.name}.") as folder:
        predictions = Path(folder) / "predictions.h5"
        predict_file(load_bundle(bundle), source, predictions)
        print(write_submission(predictions, output, name, idx, overwrite=overwrite))
