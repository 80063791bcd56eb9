"""Displays of sparse events, for ``cloudchamber show``."""

from pathlib import Path

from cloudchamber.errors import InputError


def show_voxels(file: Path, index: int, prediction: Path | None, output: Path) -> None:
    """Write one event as a page, with its prediction beside the truth if there is one."""
    from cloudchamber.show.voxels_display import write_voxels_display
    from cloudchamber.source.voxel_predictions import check_same_voxels, read_voxel_predictions
    from cloudchamber.source.voxels import read_events

    events, attributes = read_events(file)
    n = len(events)
    if not -n <= index < n:
        raise InputError(file, "", f"an event within 0..{n - 1}", str(index))
    index %= n
    facts = {
        "file": file.name,
        "event": str(index),
        "labels": str(attributes.get("labels", "as in the file")),
    }
    label = probability = None
    if prediction is not None:
        found = read_voxel_predictions(prediction)
        check_same_voxels(found, events, prediction, file)
        rows = events.voxels_of(index)
        label = found.label[rows]
        probability = None if found.probability is None else found.probability[rows]
        facts["prediction"] = str(found.attributes.get("model", prediction.name))
    write_voxels_display(
        output, events.chosen(index, index + 1), predicted=label, probability=probability,
        title=f"{file.name}, event {index}", names=(f"event {index}",), facts=facts,
    )  # fmt: skip
    print(output)
