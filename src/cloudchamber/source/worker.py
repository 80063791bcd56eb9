"""One process of many: makes blocks of samples, writes each as a part, and dies with its parent."""

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cloudchamber.source.parts import write_part

Make = Callable[[int], dict[str, np.ndarray]]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# glibc returns large arrays to the system and asks for them again, page by page: a twentieth of a simulation.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**28), "MALLOC_TRIM_THRESHOLD_": str(2**28)}
WORKER_ENVIRONMENT = {**dict.fromkeys(THREADS, "1"), **KEEP_MEMORY}


class _Process:
    """What a worker was started with."""

    make: Make | None = None
    stop: Event | None = None


class Task(NamedTuple):
    """Samples ``start`` to ``stop`` as part ``number``.

    Ragged ones come with their first axis already; a packed part is compressed.
    """

    folder: Path
    number: int
    start: int
    stop: int
    ragged: bool = False
    packed: bool = False

    def run(self, make: Make, stopped: Callable[[], bool]) -> int:
        """Make the samples and write the part; return their number, 0 if stopped on the way."""
        samples = []
        for index in range(self.start, self.stop):
            if stopped():
                return 0
            samples.append(make(index))
        join = np.concatenate if self.ragged else np.stack
        arrays = {k: join([s[k] for s in samples]) for k in samples[0]}
        write_part(self.folder, self.number, arrays, packed=self.packed)
        return self.stop - self.start

    def run_in_worker(self) -> int:
        """Run in a process that ``start_worker`` has prepared."""
        make, stop = _Process.make, _Process.stop
        if make is None or stop is None:
            raise RuntimeError("the worker was not started with start_worker")
        return self.run(make, stop.is_set)


def start_worker(make: Make, stop: Event) -> None:
    """Prepare a worker: Ctrl-C is the parent's business, and the parent's death ends the worker."""
    _Process.make, _Process.stop = make, stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let processes started now use one thread each in linear algebra, and keep the memory they have."""
    before = {name: os.environ.get(name) for name in WORKER_ENVIRONMENT}
    os.environ.update(WORKER_ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
