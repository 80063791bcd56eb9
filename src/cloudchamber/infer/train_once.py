"""Training in a folder that remembers with what it began and whether it ended."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import ValidationError

from cloudchamber.errors import InputError
from cloudchamber.files import write_text
from cloudchamber.infer.bundle import Bundle, load_bundle, save_bundle
from cloudchamber.infer.finish import Finished
from cloudchamber.score.bootstrap import Frozen
from cloudchamber.train.recipe import Recipe
from cloudchamber.train.resume import read_metrics

RECORD, BUNDLE = "training.json", "bundle"


class TrainingRecord(Frozen):
    """With what a training began; once it has ended, how long it took and after how many epochs."""

    recipe: Recipe
    data: dict[str, str]
    seconds: float | None = None
    epochs: int | None = None


def train_once(
    recipe: Recipe, folder: Path, data: Mapping[str, str], train: Callable[[], Finished]
) -> tuple[Bundle, TrainingRecord]:
    """Train and write the bundle, or return the bundle of a training that ended here before.

    Parameters
    ----------
    folder : the run folder; a training that was killed in it goes on.
    data : what the volumes are, by purpose: a training with one set is not continued with another.
    train : trains after the recipe in the folder and fits the cuts.

    Raises
    ------
    InputError
        if the folder began with another recipe or other volumes, or holds a damaged bundle.
    """
    path, began = folder / RECORD, TrainingRecord(recipe=recipe, data=dict(data))
    record = _read(path)
    if record is None:
        write_text(path, began.model_dump_json(indent=2) + "\n")
    else:
        _refuse_another(path, record, began)
        if record.seconds is not None:
            return load_bundle(folder / BUNDLE), record
    finished = train()
    save_bundle(folder / BUNDLE, finished.bundle)
    epochs = _count_epochs(folder) or recipe.training.epochs
    ended = began.model_copy(update={"seconds": finished.seconds, "epochs": epochs})
    write_text(path, ended.model_dump_json(indent=2) + "\n")
    return load_bundle(folder / BUNDLE), ended  # as it is on disk, in half precision


def _refuse_another(path: Path, record: TrainingRecord, began: TrainingRecord) -> None:
    for name in ("recipe", "data"):
        old, new = ({**json.loads(each.model_dump_json())}[name] for each in (record, began))
        for key in sorted({*old, *new}):
            if old.get(key) != new.get(key):
                wanted = f"what the training here began with, {old.get(key)}"
                found = f"{new.get(key)} (give another --output)"
                raise InputError(path, f"{name}.{key}", wanted, found)


def _read(path: Path) -> TrainingRecord | None:
    if not path.exists():
        return None
    try:
        return TrainingRecord.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(path, "", "the record of a training", str(error)) from error


def _count_epochs(folder: Path) -> int:
    """Return the epochs of the longest training in a run folder: early stopping ends before the recipe."""
    files = (folder / "metrics.jsonl", *folder.glob("round-*/network-*/metrics.jsonl"))
    return max(len(read_metrics(path)) for path in files)
