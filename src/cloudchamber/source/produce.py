"""Making a data set with many processes, in parts that outlive an interruption."""

import multiprocessing
import shutil
import sys
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from cloudchamber import __version__
from cloudchamber.errors import InputError
from cloudchamber.progress import progress
from cloudchamber.source.hdf5 import block_starts
from cloudchamber.source.parts import Parts
from cloudchamber.source.store import WALLS_UNITS
from cloudchamber.source.worker import Make, Task, one_thread, start_worker
from cloudchamber.source.writer import AXES, Attributes, check_target, nearest_folder, write_store

SPARE_BYTES = 2**24
JOINED = "joined.h5"


def produce(
    path: Path,
    make: Make,
    n: int,
    *,
    attributes: Attributes,
    workers: int = 1,
    block: int = 32,
    description: str = "making samples",
    units: Mapping[str, str] = WALLS_UNITS,
    axes: str = AXES,
    tables: Mapping[str, str] = {},
    packed: bool = False,
    overwrite: bool = False,
) -> None:
    """Make ``n`` samples and write them to ``path``, with the same bytes whatever the number of workers.

    Finished blocks are kept in the folder ``.<name>.parts`` beside the file. A run that was killed takes up
    from there when it is started again with the same arguments, and ends in the same bytes. Memory does not
    grow with ``n``.

    Parameters
    ----------
    make : gives sample i as arrays by name of data set; a function of i alone, and picklable. With
        ``tables`` each array has the axis of its rows, which for those of a sample is of length 1.
    attributes : of the file. With ``n`` and ``block`` they say whether parts found are of the same data set.
    workers : number of processes, each with one thread; 1 works in this process.
    block : samples in a part.
    units : unit of each data set.
    axes, tables : see :func:`cloudchamber.source.writer.write_store`.
    packed : compress the parts: for large samples that compress well, such as images mostly dark.
    overwrite : replace a file of that name.

    Raises
    ------
    InputError
        if the file exists, cannot be written, or the disk is too small or runs full.
    ChildProcessError
        if a worker process dies.
    """
    for name, number in (("number of samples", n), ("workers", workers), ("block", block)):
        if number < 1:
            raise InputError(name, "", "1 or more", str(number))
    fingerprint: Attributes = {**attributes, "package_version": __version__, "n": n, "block": block}
    parts = Parts(path.with_name(f".{path.name}.parts"), fingerprint, n, block)
    if path.is_file() and not overwrite and parts.belong_to(path):  # killed after its last step but one
        parts.remove()
        return
    check_target(path, overwrite)
    first = make(0)  # compiled loops are compiled once, not in every worker
    sample_bytes = _packed_bytes(first) if packed else _bytes(first)
    _check_room(path, 2 * n * sample_bytes + SPARE_BYTES)
    done = parts.resume()
    try:
        _make_parts(parts, make, done, workers, description, bool(tables), packed)
        with write_store(parts.folder / JOINED, n, attributes, units, axes=axes, tables=tables) as add:
            for number, paths in parts.find().items():
                add(parts.load(number, paths))
        _move(parts.folder / JOINED, path)
    except BaseException:
        parts.remove_if_empty()
        raise
    parts.remove()


def _bytes(sample: dict[str, np.ndarray]) -> int:
    return sum(np.asarray(array).nbytes for array in sample.values())


def _packed_bytes(sample: dict[str, np.ndarray]) -> int:
    """Return about what a sample takes in a file of ours, whose compression is quick rather than tight."""
    return 2 * sum(len(zlib.compress(array.tobytes(), 1)) for array in sample.values())


def _check_room(path: Path, need_bytes: int) -> None:
    free_bytes = shutil.disk_usage(nearest_folder(path)).free
    if free_bytes < need_bytes:
        expected = f"{need_bytes / 1e6:.0f} MB free on the disk"
        raise InputError(path, "", expected, f"{free_bytes / 1e6:.0f} MB")


def _make_parts(
    parts: Parts, make: Make, done: set[int], workers: int, description: str, ragged: bool, packed: bool
) -> None:
    missing = [
        Task(parts.folder, number, start, stop, ragged, packed)
        for number, (start, stop) in enumerate(block_starts(parts.n, parts.block))
        if number not in done
    ]
    todo = sum(task.stop - task.start for task in missing)
    if todo < parts.n:
        print(f"{description}: {parts.n - todo} of {parts.n} are done already", file=sys.stderr)
    if not missing:
        return
    with progress(description, todo, "samples") as advance:
        if workers == 1:
            with threadpool_limits(1):
                for task in missing:
                    advance(task.run(make, lambda: False))
        else:
            for samples in _in_processes(make, missing, min(workers, len(missing))):
                advance(samples)


def _in_processes(make: Make, tasks: list[Task], workers: int) -> Iterator[int]:
    """Run tasks in fresh processes, few of them queued at a time; yield the samples done."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    queue, running = iter(tasks), set[Future[int]]()
    with one_thread():
        pool = ProcessPoolExecutor(workers, context, initializer=start_worker, initargs=(make, stop))
        with pool:
            try:
                while True:
                    while len(running) < 2 * workers and (task := next(queue, None)):
                        running.add(pool.submit(task.run_in_worker))
                    if not running:
                        return
                    finished, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in finished)
            except BrokenProcessPool as error:
                reason = "a worker process died; if the memory was full, try fewer --workers"
                raise ChildProcessError(reason) from error
            finally:
                stop.set()
                pool.shutdown(cancel_futures=True)


def _move(joined: Path, path: Path) -> None:
    """Give the file its name; until then it is in the folder of the parts, which is removed as a whole."""
    try:
        joined.replace(path)
    except OSError as error:
        raise InputError(path, "", "a path that can be written", error.strerror or str(error)) from error
