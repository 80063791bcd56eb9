"""``cloudchamber export``: a trained network for other programs."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter


def export(
    bundle: str,
    *,
    format: Annotated[Literal["onnx", "torch", "triton"], Parameter(name=["-f", "--format"])] = "onnx",
    output: Annotated[Path, Parameter(name=["-o", "--output", "--out"])],
) -> None:
    """Export a trained network: for ONNX Runtime, for torch.export.load, or as a model repository of Triton.

    The graph goes from what is measured to probabilities or energies; networks for hits read main_input and
    give em_trk_none_netout and michel_netout. What the bundle says of itself goes along as metadata.

    Parameters
    ----------
    bundle
        A trained model: one of the package's by name, a folder or a .zip.
    format
        onnx: one file. torch: one file (.pt2). triton: a folder to start the server with.
    output
        The file or the folder to write.
    """
    from cloudchamber.infer.export import export_bundle

    export_bundle(bundle, format, output)
    print(output)
