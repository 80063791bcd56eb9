"""A progress bar on a terminal, two plain lines in a log."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(
    description: str, total: int, unit: str = "", *, plain: bool = True
) -> Iterator[Callable[[int], None]]:
    """Show on standard error how far long work has come and how long it will take.

    Parameters
    ----------
    description : what is done, such as ``"simulating"``.
    total : how many units there are to do.
    unit : what is counted, in the plural; ``"bytes"`` are shown as MB.
    plain : where standard error is not a terminal, print one line when the first units are done and one at
        the end; for short work give False, and nothing is printed there.

    Yields
    ------
    A function that is told how many more units are done.
    """
    if sys.stderr.isatty():
        with _bar(description, total, unit) as advance:
            yield advance
        return
    done, start, told = 0, time.monotonic(), not plain

    def count(more: int) -> None:
        nonlocal done, told
        if not told:  # only now, so that input refused at once is one line and no more
            print(f"{description}: {_amount(total, unit)}", file=sys.stderr, flush=True)
            told = True
        done += more

    yield count
    if plain:
        seconds = max(time.monotonic() - start, 1e-9)
        rate = _amount(done / seconds, unit)
        print(
            f"{description}: {_amount(done, unit)} in {seconds:.1f} s ({rate} per second)",
            file=sys.stderr,
            flush=True,
        )


def _amount(number: float, unit: str) -> str:
    if unit == "bytes":
        return f"{number / 1e6:.1f} MB"
    return f"{number:.4g} {unit}".rstrip() if isinstance(number, float) else f"{number} {unit}".rstrip()


@contextmanager
def _bar(description: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import (  # fmt: skip
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    count = (DownloadColumn(),) if unit == "bytes" else (MofNCompleteColumn(), TextColumn(unit))
    columns = (TextColumn("{task.description}"), BarColumn(), *count)
    with Progress(*columns, TimeRemainingColumn(), TimeElapsedColumn(), console=Console(stderr=True)) as bars:
        task = bars.add_task(description, total=total)
        yield lambda more: bars.advance(task, more)
