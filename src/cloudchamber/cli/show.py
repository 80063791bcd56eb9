"""``cloudchamber show``: one sample of a data set as a page."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cloudchamber.errors import InputError


def show(
    file: Path,
    index: int = 0,
    *,
    prediction: Path | None = None,
    plane: str | None = None,
    output: Annotated[Path, Parameter(name=["-o", "--output"])] = Path("display.html"),
) -> None:
    """Show one sample of a data set as an HTML page: a volume and its layers, an event, a muon, a wire plane.

    Parameters
    ----------
    file
        HDF5 file with walls (x0, and targs if it has targets), sparse events, muons in a calorimeter
        (LUMIN's fold files too), or readouts of wires, ours or others': labelled frames, ROOT with
        PointIdTrainingData's histograms or an image2d tree, .npz with a frame.
    index
        Which sample to show, from 0; negative numbers count from the end.
    prediction
        HDF5 file with predictions for the same samples.
    plane
        Of wires of others: U, V, W or a number; the collection plane unless said.
    output
        The HTML file to write.
    """
    from cloudchamber.source.kinds import task_of

    task = task_of(file)
    if task == "wires":
        from cloudchamber.cli.show_wires import show_wires
        from cloudchamber.source.wire_choice import WireChoice

        show_wires(file, index, prediction, output, WireChoice(plane=plane) if plane else None)
        return
    if task == "voxels":
        from cloudchamber.cli.show_voxels import show_voxels

        show_voxels(file, index, prediction, output)
        return
    if task == "energy":
        from cloudchamber.cli.show_energy import show_energy

        show_energy(file, index, prediction, output)
        return
    from cloudchamber.show.display import write_display
    from cloudchamber.show.facts import find_grid
    from cloudchamber.source.predictions import read_predictions
    from cloudchamber.source.store import read_walls

    data = read_walls(file)
    n = len(data.x0_m)
    if not -n <= index < n:
        raise InputError(file, "", f"a sample within 0..{n - 1}", str(index))
    index %= n
    preds = probability = None
    if prediction is not None:
        found = read_predictions(prediction)
        if found.walls.shape != data.x0_m.shape:
            wanted = f"the shape of x0 in {file}, {data.x0_m.shape}"
            raise InputError(prediction, "preds", wanted, str(found.walls.shape))
        preds = found.walls[index]
        probability = None if found.probability is None else found.probability[index]
    grid = find_grid(data.attributes)
    walls = None if data.walls is None else data.walls[index]
    write_display(
        output, data.x0_m[index], walls, preds, probability,
        title=f"{file.name}, sample {index}", voxel_m=grid.voxel_m, base_m=grid.base_m,
    )  # fmt: skip
    print(output)
