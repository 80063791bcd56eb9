"""Sharing out compiled work over threads."""

import pytest
import torch

from cloudchamber.model.sparse.compiled import jobs
from cloudchamber.model.sparse.functional import convolve
from cloudchamber.model.sparse.geometry import SparseGeometry


def convolved() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    coordinates = torch.randint(0, 40, (6000, 3), generator=generator)
    level = SparseGeometry(coordinates).level(0)
    features = torch.randn(len(level), 16, generator=generator)
    return convolve(features, torch.randn(16, 9, 16, generator=generator), level.neighbours)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_python_threads_do_the_same(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = convolved()
    monkeypatch.setattr(jobs, "_launcher", lambda: jobs._with_python_threads)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        assert torch.equal(convolved(), expected)
    finally:
        torch.set_num_threads(before)


def test_without_openmp_python_threads_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_openmp_entry", lambda: None)
    jobs._launcher.cache_clear()
    try:
        assert jobs._launcher() is jobs._with_python_threads
    finally:
        jobs._launcher.cache_clear()
