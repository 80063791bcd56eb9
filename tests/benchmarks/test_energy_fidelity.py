"""The comparison of simulated muons with tables and another simulation, on few muons."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "energy_fidelity.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("energy_fidelity", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_bootstrap_gives_the_error_of_a_mean(script: ModuleType) -> None:
    values = np.random.default_rng(1).normal(size=(400, 2)) * (1, 5)
    np.testing.assert_allclose(script.bootstrap(values, script.mean), [1 / 20, 5 / 20], rtol=0.15)


@pytest.mark.reference
def test_the_other_simulation_is_read_as_it_is(script: ModuleType, reference: Path) -> None:
    events, config = script.read_cells(reference / "calorimeter_reference.h5")
    with h5py.File(reference / "calorimeter_reference.h5") as file:
        energy, event, truth = (np.asarray(file[name]) for name in ("energy_gev", "event", "true_energy_gev"))
        place = np.stack([np.asarray(file[name]) for name in ("iz", "ix", "iy")], axis=1)
    assert (config.shape, config.layer_mm, config.gap_mm, config.photonuclear) == (
        (50, 32, 32),
        39.6,
        0,
        False,
    )
    np.testing.assert_allclose(events.muons["energy_gev"], truth)
    for number in (0, 119):
        mine = event == number
        grid = np.zeros(config.shape, np.float32)
        grid[tuple(place[mine].T)] = energy[mine]
        np.testing.assert_array_equal(events.dense(number, number + 1)[0], grid)


@pytest.mark.reference
def test_tables_and_plots_of_all_parts(
    script: ModuleType,
    reference: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["--dedx", reference / "muon_dedx_pbwo4.csv", "--losses", reference / "muon_loss_pbwo4_1.98m.csv"]
    words += ["--cells", reference / "calorimeter_reference.h5", "-o", tmp_path / "plots"]
    few = ["--n", "200", "--muons", "20", "--electrons", "5"]
    monkeypatch.setattr(sys, "argv", ["energy_fidelity.py", *map(str, words), *few])
    script.main()
    text = capsys.readouterr().out
    assert "pair_production: within 0." in text
    assert "energy lost in the block in GeV, 200 muons each" in text
    assert "1 TeV: 20 muons, 60 of the reference" in text
    (line,) = [line for line in text.splitlines() if "energy deposited" in line and "16.52" in line]
    assert line.count("│") == 8
    assert "5 electrons of 10 GeV" in text
    plots = {path.stem for path in (tmp_path / "plots").iterdir()}
    profiles = {f"{kind}_{energy}" for kind in ("rings", "layers") for energy in ("100_GeV", "1_TeV")}
    assert plots == {"stopping_power", "losses", "cells"} | profiles
