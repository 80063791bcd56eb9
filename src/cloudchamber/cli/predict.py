"""``cloudchamber predict``: a trained network on a data set."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from cloudchamber.cli.options import Count
from cloudchamber.cli.predict_hits import is_exported, predict_hits

Engine = Literal["auto", "patches", "shared-maps", "overlap-save", "whole-plane", "onnxruntime"]


def predict(
    bundle: str,
    file: Path,
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    symmetries: bool | None = None,
    engine: Engine = "auto",
    threads: Count = 1,
    memory_mib: Annotated[float, Parameter(validator=Number(gt=0))] = 1536.0,
    images: bool = False,
) -> None:
    """Predict: walls, what left the charge of each voxel, the energy of each muon, what each hit shows.

    Parameters
    ----------
    bundle
        A trained model: one of the package's by name, a folder or a .zip; of hits, a network that
        ``cloudchamber export`` wrote in ONNX, too, which needs no torch.
    file
        HDF5 file with x0 in metres (and the other maps of the bundle, if it has any), axes (sample, z, x, y);
        or sparse events, or muons in a calorimeter, or readouts of wires. Targets are not needed.
    output
        HDF5 file to write: preds (0 or 1) and probability; of muons energy_gev with the ends of an interval;
        of hits their scores (where the file has no hits, the class of each lit pixel).
    symmetries
        Average over the symmetric views of each image: eight times the work (of muons four times), a slightly
        better answer. Unless said, as the bundle's card says.
    engine
        Hits only: how a plane is worked out. All engines of a network give the same; auto takes the fastest.
    threads
        Hits only: threads to compute with.
    memory_mib
        Hits only: most memory that the engine asks for, beside network and plane.
    images
        Beam only: write the downsampled images, whose score is the published one, in place of whole planes.
    """
    if is_exported(bundle) or engine == "onnxruntime":
        predict_hits(bundle, file, output, engine=engine, threads=threads, memory_mib=memory_mib)
        return
    from cloudchamber.infer.bundle import load_bundle, task_of_bundle

    task = task_of_bundle(bundle)
    if task == "hits":
        predict_hits(bundle, file, output, engine=engine, threads=threads, memory_mib=memory_mib)
        return
    if task == "beam":
        from cloudchamber.infer.beam_bundle import load_beam_bundle
        from cloudchamber.infer.beam_files import predict_beam_file

        predict_beam_file(load_beam_bundle(bundle), file, output, images=images)
        print(output)
        return
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
