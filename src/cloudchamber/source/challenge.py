"""The files of the MODE challenge of 2022: its data sets, its split, its submissions."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int64

from cloudchamber.errors import InputError
from cloudchamber.files import whole
from cloudchamber.progress import progress
from cloudchamber.source.hdf5 import block_starts, open_hdf5
from cloudchamber.source.predictions import CLASSES, read_predictions
from cloudchamber.source.sink import create_hdf5
from cloudchamber.source.store import TARGETS, WALLS_UNITS, X0, find_walls, iterate_walls
from cloudchamber.source.writer import Attributes, check_target, write_store

TRAIN_SAMPLES, TEST_SAMPLES = 106_129, 30_036
SHAPE = (10, 10, 10)
PRIVATE_SAMPLES, SPLIT_SEED = 25_000, 3452
SOURCE = "MODE challenge 2022, doi:10.5281/zenodo.7050560"


class Split(NamedTuple):
    """Which samples of the test set were scored in public and which in private, in the challenge's order."""

    public: Int64[np.ndarray, "public"]
    private: Int64[np.ndarray, "private"]


def split_test_set(samples: int = TEST_SAMPLES) -> Split:
    """Return the public (5036) and private (25,000) samples of the challenge's 30,036.

    Source: ``train_test_split(targets, test_size=25000, random_state=3452, shuffle=True)`` of scikit-learn,
    in the README of the challenge's repository; here it splits the indices, which gives the same.

    Raises
    ------
    InputError
        if there are not 30,036 samples.
    """
    if samples != TEST_SAMPLES:
        raise InputError("split", "", f"the {TEST_SAMPLES} samples of the challenge's test set", str(samples))
    return split_index(np.arange(samples, dtype=np.int64), PRIVATE_SAMPLES)


def split_index(index: Int64[np.ndarray, "sample"], private: int) -> Split:
    """Split any indices as the challenge did its own, ``private`` of them for the private part."""
    from sklearn.model_selection import train_test_split

    public, rest = train_test_split(index, test_size=private, random_state=SPLIT_SEED, shuffle=True)
    return Split(public, rest)


def _copy_attributes(path: Path) -> tuple[Attributes, bool]:
    with open_hdf5(path) as file:
        found = find_walls(file, path, None)
        kept = {
            k: v for k, v in found.attributes.items() if k not in ("format", "package_version", "n", "axes")
        }
        start: Attributes = {"task": "walls", "source": f"converted from {path.name}"}
        return {**start, **kept}, found.targets is not None


def convert_walls(source: Path, target: Path, *, overwrite: bool = False) -> int:
    """Copy the challenge's ``train.h5``, ``test.h5`` or ``test_private.h5`` (or its like) into our store.

    Returns
    -------
    The number of samples.

    Raises
    ------
    InputError
        if the source is not what ``read_walls`` accepts, or the target cannot be written.
    """
    check_target(target, overwrite)
    attributes, labelled = _copy_attributes(source)
    with open_hdf5(source) as file:
        n = len(find_walls(file, source, labelled).x0)
    with (
        write_store(target, n, attributes, WALLS_UNITS) as add,
        progress("converting", n, "samples", plain=False) as advance,
    ):
        for part in iterate_walls(source, targets=labelled):
            arrays = {X0: part.x0_m}
            add(arrays if part.walls is None else {**arrays, TARGETS: part.walls.astype(np.int64)})
            advance(len(part.x0_m))
    return n


def convert_split(source: Path, folder: Path, *, overwrite: bool = False) -> dict[str, int]:
    """Write ``public.h5`` and ``private.h5``: the challenge's test set in the two parts it was scored in.

    Returns
    -------
    The samples in each.

    Raises
    ------
    InputError
        if the source is not the test set of 30,036 samples, or the folder cannot be written.
    """
    for name in Split._fields:
        check_target(folder / f"{name}.h5", overwrite)
    attributes, labelled = _copy_attributes(source)
    parts = list(iterate_walls(source, targets=labelled))
    x0_m = np.concatenate([part.x0_m for part in parts])
    walls = np.concatenate([part.walls for part in parts if part.walls is not None]) if labelled else None
    try:
        split = split_test_set(len(x0_m))
    except InputError as error:
        raise InputError(source, X0, error.expected, f"{len(x0_m)} samples") from error
    for name, index in split._asdict().items():
        about: Attributes = {**attributes, "split": name}
        with write_store(folder / f"{name}.h5", len(index), about, WALLS_UNITS) as add:
            for start, stop in block_starts(len(index), 2048):
                rows = index[start:stop]
                arrays = {X0: x0_m[rows]}
                add(arrays if walls is None else {**arrays, TARGETS: walls[rows].astype(np.int64)})
    return {name: len(index) for name, index in split._asdict().items()}


def read_submission(path: Path, samples: int | None = None) -> Bool[np.ndarray, "sample z x y"]:
    """Read a submission and check that it is one: ``preds``, (30036, 10, 10, 10), 0 and 1.

    Raises
    ------
    InputError
        if it is not.
    """
    walls, wanted = read_predictions(path).walls, (samples or TEST_SAMPLES, *SHAPE)
    if walls.shape != wanted:
        raise InputError(path, CLASSES, f"the shape {wanted}", str(walls.shape))
    return walls


def check_test_set(path: Path) -> None:
    """Check that a file is the challenge's test set by its shape, (30036, 10, 10, 10).

    Raises
    ------
    InputError
        if it is not, or not what ``read_walls`` accepts.
    """
    with open_hdf5(path) as file:
        shape = find_walls(file, path, False).x0.shape
    if shape != (TEST_SAMPLES, *SHAPE):
        wanted = f"the shape of the challenge's test set, {(TEST_SAMPLES, *SHAPE)}"
        raise InputError(path, X0, wanted, str(shape))


def submission_path(folder: Path, name: str, idx: str, *, overwrite: bool = False) -> Path:
    """Return where a submission goes, ``NAME_IDXX.h5`` in a folder.

    Raises
    ------
    InputError
        if the name or number does not make a file name, or the file exists or cannot be written.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name, re.ASCII):
        raise InputError("--name", "", "letters, digits, dot, hyphen and underscore", repr(name))
    if not re.fullmatch(r"[0-9]{2}", idx):
        raise InputError("--id", "", "two digits, such as 00", repr(idx))
    path = folder / f"{name}_ID{idx}.h5"
    check_target(path, overwrite)
    return path


def write_submission(
    predictions: Path,
    folder: Path,
    name: str,
    idx: str,
    *,
    samples: int | None = None,
    overwrite: bool = False,
) -> Path:
    """Turn our predictions for the test set into the file that the challenge takes.

    Parameters
    ----------
    idx : the number of the submission, two digits.

    Returns
    -------
    The path of the new file, ``NAME_IDXX.h5``.

    Raises
    ------
    InputError
        if the predictions are not (30036, 10, 10, 10), the name or number does not make a file name, or the
        folder cannot be written.
    """
    path = submission_path(folder, name, idx, overwrite=overwrite)
    walls = read_submission(predictions, samples)
    with whole(path) as temporary, create_hdf5(temporary) as (file, _):
        file.create_dataset(CLASSES, data=walls.astype(np.int64), compression="lzf", track_times=False)
    return path
