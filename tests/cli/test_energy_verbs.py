"""The verbs on muons in a calorimeter, from simulation to a display, and what they say of bad input."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from cloudchamber.cli.entry import main
from cloudchamber.cli.simulate_energy import load_energy_config, make_muon
from cloudchamber.errors import InputError
from cloudchamber.prepare.muon_features import muon_features
from cloudchamber.source.energy import read_muons
from cloudchamber.source.energy_predictions import write_energy_predictions
from cloudchamber.source.lumin import read_lumin
from cloudchamber.task import TASKS

N = 70  # muons: three parts of the simulation
SMALL = """
shape = [8, 6, 5]
cell_mm = 8.0
[beam]
fixed_gev = [100, 500]
half_width_mm = 10
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated muons in a small block, their predictions (with an interval), the muons as LUMIN has them."""
    place = tmp_path_factory.mktemp("energy")
    (place / "small.toml").write_text(SMALL)
    muons = str(place / "muons.h5")
    assert (
        main(["simulate", "energy", "--config", str(place / "small.toml"), *f"-n {N} -o {muons}".split()])
        == 0
    )
    energy = np.linspace(90, 600, N)
    write_energy_predictions(
        place / "out.h5", energy, energy + 1, (0.7 * energy, 1.3 * energy), {"model": "a ruler"}
    )
    assert main(["convert", "to-lumin", muons, "--folds", "3", "-o", str(place / "lumin.h5")]) == 0
    return place


def simulate(folder: Path, output: Path, *more: str) -> int:
    config = str(folder / "small.toml")
    return main(["simulate", "energy", "--config", config, "-n", str(N), "-o", str(output), *more])


def test_the_task_is_known() -> None:
    assert TASKS["energy"].labels is None
    assert TASKS["voxels"].labels is not None


def test_size_and_time_are_said_before(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert simulate(folder, tmp_path / "a.h5") == 0
    printed = capsys.readouterr()
    assert printed.out == f"{tmp_path / 'a.h5'}\n"
    first = printed.err.splitlines()[0]
    assert first.startswith(f"{N} muons in 8 x 6 x 5 cells (z, x, y), setting paper: at most ")
    said = float(first.split("at most ")[1].split(" MB")[0])
    events, _ = read_muons(tmp_path / "a.h5")
    bytes_ = 10 * len(events.energy_gev) + len(events) * (8 + 33)
    assert said == pytest.approx(bytes_ / 1e6, rel=0.3, abs=0.06)


def test_simulation_is_the_same_bytes_with_two_workers_and_of_another_seed_another(
    folder: Path, tmp_path: Path
) -> None:
    again, other = tmp_path / "again.h5", tmp_path / "other.h5"
    assert simulate(folder, again, "--workers", "2") == 0
    assert again.read_bytes() == (folder / "muons.h5").read_bytes()
    assert simulate(folder, again) == 2
    assert simulate(folder, again, "--overwrite", "--seed", "1") == 0
    assert again.read_bytes() != (folder / "muons.h5").read_bytes()
    assert simulate(folder, other, "--seed", "1") == 0
    assert again.read_bytes() == other.read_bytes()


def test_interrupted_simulation_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is cut off in its third part: the first two are kept, and the end is the same as of one run."""
    from cloudchamber.simulate.calorimeter import event

    simulated = event.simulate_muon
    made = list[int]()

    def cut_off(seed, index, config):  # type: ignore[no-untyped-def]
        if index == 65:
            raise KeyboardInterrupt
        return simulated(seed, index, config)

    def counted(seed, index, config):  # type: ignore[no-untyped-def]
        made.append(index)
        return simulated(seed, index, config)

    output = tmp_path / "cut.h5"
    monkeypatch.setattr(event, "simulate_muon", cut_off)
    assert simulate(folder, output) != 0
    assert not output.exists()
    monkeypatch.setattr(event, "simulate_muon", counted)
    capsys.readouterr()
    assert simulate(folder, output) == 0
    assert f"64 of {N} are done already" in capsys.readouterr().err
    assert set(range(64, N)) <= set(made)
    assert not set(range(32, 64)) & set(made)
    assert output.read_bytes() == (folder / "muons.h5").read_bytes()


def test_muons_are_those_of_the_simulator(folder: Path) -> None:
    events, attributes = read_muons(folder / "muons.h5", truth=True)
    assert events.muons is not None
    config = load_energy_config("paper", folder / "small.toml")
    assert attributes["seed"] == 0
    assert json.loads(str(attributes["config"])) == json.loads(config.model_dump_json())
    assert events.grid.shape == (8, 6, 5)
    assert events.grid.layer_mm == pytest.approx(40.64)
    assert events.grid.cell_mm == 8
    np.testing.assert_array_equal(events.muons["energy_gev"], [100, 500] * (N // 2))
    for index in (0, 69):
        made = make_muon(0, config, index)
        one = events.chosen(index, index + 1)
        np.testing.assert_array_equal(made["position"], one.position)
        np.testing.assert_array_equal(made["energy_gev"], one.energy_gev)
        assert made["muons"].tobytes() == events.muons[index : index + 1].tobytes()


def test_another_material_has_its_own_elements_alone(tmp_path: Path) -> None:
    """The configuration of the how-to, and a part of it."""
    page = Path(__file__).parents[2] / "docs" / "how-to" / "energy-files.md"
    file = tmp_path / "iron.toml"
    file.write_text(page.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0], encoding="utf-8")
    config = load_energy_config("paper", file)
    assert config.material.elements == {26: (55.845, 1.0)}
    assert config.material.density_effect.delta0 == 0.12
    assert config.beam.energy_gev == (50, 8000)  # what the file does not name stays
    assert config.beam.fixed_gev == (100, 500, 1000)
    file.write_text("[material]\ndensity_g_cm3 = 7.9\n")
    assert sorted(load_energy_config("paper", file).material.elements) == [8, 74, 82]
    file.write_text("[material]\ndensity_g_cm3 = -1\n")
    with pytest.raises(InputError, match="density_g_cm3"):
        load_energy_config("paper", file)


def test_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(folder / name) for name in ("muons.h5", "out.h5", "lumin.h5")]
    assert main(["check", *files]) == 0
    muons, predictions, lumin = capsys.readouterr().out.splitlines()
    cells = len(read_muons(folder / "muons.h5")[0].energy_gev)
    assert f"good. {N} muons in a calorimeter, {cells:,} cells." in muons
    assert "as recorded (" in muons
    assert f"good. {N} predicted energies. energy_gev, raw_gev: finite; interval: ends finite" in predictions
    assert f"{N} muons in a calorimeter (LUMIN's fold file), {cells:,} cells. 3 folds" in lumin
    assert "none recorded" in lumin


def test_info_of_muons(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(folder / "muons.h5"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    events, _ = read_muons(folder / "muons.h5")
    muons = events.muons
    assert muons is not None
    assert found["muons"] == N
    assert found["cells along z, x, y"] == [8, 6, 5]
    assert found["energy of the muons (GeV), least, median, most"] == [100, 300, 500]
    assert found["cells of a muon, mean"] == pytest.approx(len(events.energy_gev) / N)
    assert found["cells above 0.1 GeV of a muon, median"] == np.median(
        [(e.energy_gev > 0.1).sum() for e in events]
    )
    assert found["energy in the cells of a muon (GeV), mean"] == pytest.approx(
        muons["deposit_gev"].mean(), rel=1e-5
    )
    soft = sum(float(e) for e in events.energy_gev if e <= 0.01) / float(events.energy_gev.sum())
    assert found["share of energy in cells up to 0.01 GeV"] == pytest.approx(soft, rel=1e-3)
    shares = found["share of the energy lost"]
    assert sum(shares.values()) == pytest.approx(1, abs=1e-4)
    lost = sum(muons[f"{name}_gev"].sum() for name in shares)
    assert shares["ionisation"] == pytest.approx(muons["ionisation_gev"].sum() / lost, abs=1e-4)
    assert found["share of mu+"] == pytest.approx((muons["charge"] > 0).mean(), abs=1e-4)
    assert found["attributes"]["seed"] == 0
    assert main(["info", str(folder / "muons.h5")]) == 0
    text = capsys.readouterr().out
    assert "photonuclear" in text
    assert "100, 300, 500" in text


def test_info_of_predictions_and_folds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(folder / "out.h5"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["predicted energy (GeV), least, median, most"] == [90, 345, 600]
    assert found["as the network gives it (GeV)"] == [91, 346, 601]
    assert found["half width of the interval / energy, median"] == pytest.approx(0.3)
    assert main(["info", str(folder / "lumin.h5"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["muons of each fold"] == {"fold_0": 23, "fold_1": 23, "fold_2": 24}
    assert found["cells along z, x, y"] == [8, 6, 5]
    assert "share of the energy lost" not in found  # LUMIN's files do not say
    assert "share of mu+" not in found


def test_to_lumin_and_back(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events, _ = read_muons(folder / "muons.h5")
    features = muon_features(events).astype(np.float64)
    there = read_lumin(folder / "lumin.h5", grid=events.grid)
    std = np.where(features.std(axis=0) > 1e-9, features.std(axis=0), 1)
    np.testing.assert_allclose(there.features, (features - features.mean(axis=0)) / std, atol=2e-4)
    assert events.muons is not None
    np.testing.assert_array_equal(there.target_gev, events.muons["energy_gev"])
    back = tmp_path / "back.h5"
    assert main(["convert", "lumin", str(folder / "lumin.h5"), "--cell-mm", "8", "-o", str(back)]) == 0
    assert capsys.readouterr().out == f"{back}: {N} muons, {len(events.energy_gev)} cells\n"
    found, attributes = read_muons(back)
    assert found.grid == events.grid
    assert attributes["source"] == "converted from lumin.h5"
    for name in ("cell_offsets", "position", "energy_gev"):
        np.testing.assert_array_equal(getattr(found, name), getattr(events, name))
    assert found.muons is not None
    assert np.isnan(found.muons["x_mm"]).all()
    some = tmp_path / "some.h5"
    words = ["--folds", "2", "0", "-o", str(some)]
    assert main(["convert", "lumin", str(folder / "lumin.h5"), *words]) == 0
    first, _ = read_muons(some, stop=24)
    np.testing.assert_array_equal(first.energy_gev, events.chosen(46, N).energy_gev)
    assert len(read_muons(some)[0]) == 47


def test_features_standardised_like_those_of_another_set(folder: Path, tmp_path: Path) -> None:
    """A part of a set, like the whole: the rows of the whole. Ten folds, unless another number is wanted."""
    events, _ = read_muons(folder / "muons.h5")
    from cloudchamber.source.energy import write_muons

    write_muons(tmp_path / "part.h5", 20, iter([events.chosen(0, 20)]), {})
    words = ["--like", str(folder / "muons.h5"), "-o", str(tmp_path / "part_lumin.h5")]
    assert main(["convert", "to-lumin", str(tmp_path / "part.h5"), *words]) == 0
    whole = read_lumin(folder / "lumin.h5", grid=events.grid)
    part = read_lumin(tmp_path / "part_lumin.h5", grid=events.grid)
    np.testing.assert_allclose(part.features, whole.features[:20], atol=1e-6)
    with h5py.File(tmp_path / "part_lumin.h5") as file:
        assert sorted(name for name in file if name != "meta_data") == [f"fold_{k}" for k in range(10)]


@pytest.mark.parametrize(("name", "muon"), [("muons.h5", 69), ("lumin.h5", -1), ("lumin.h5", 23)])
def test_show_writes_a_page(folder: Path, tmp_path: Path, name: str, muon: int) -> None:
    page = tmp_path / "page.html"
    words = ["--prediction", str(folder / "out.h5"), "-o", str(page)]
    assert main(["show", str(folder / name), str(muon), *words]) == 0
    text = page.read_text()
    index = muon % N
    events, _ = read_muons(folder / "muons.h5")
    predicted = np.linspace(90, 600, N)[index]
    assert f"{name}, muon {index}" in text
    assert (
        f"predicted {predicted:.3g} GeV (68%: {0.7 * predicted:.3g} GeV to {1.3 * predicted:.3g} GeV)" in text
    )
    assert f"in {len(events.chosen(index, index + 1).energy_gev)} cells" in text
    assert "a ruler" in text


def test_bad_input_is_one_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken, dark = tmp_path / "broken.h5", tmp_path / "dark.h5"
    broken.write_bytes((folder / "muons.h5").read_bytes())
    with h5py.File(broken, "r+") as file:
        file["energy_gev"][3] = -2.0
    assert main(["convert", "lumin", str(folder / "lumin.h5"), "-o", str(dark)]) == 0
    grid = tmp_path / "grid.h5"
    grid.write_bytes((folder / "lumin.h5").read_bytes())
    with h5py.File(grid, "r+") as file:
        about = json.loads(file["meta_data/matrix_feats"][()])
        del file["meta_data/matrix_feats"]
        file["meta_data/matrix_feats"] = json.dumps(about | {"shape": [1, 8, 6]})
    muons, lumin, target = str(folder / "muons.h5"), str(folder / "lumin.h5"), str(tmp_path / "new")
    for command, words in (
        (["check", str(broken)], "energy_gev, event 0, cell 3"),
        (["info", str(broken)], "energy_gev, event 0, cell 3"),
        (["check", str(grid)], "matrix_feats, shape"),
        (["show", str(broken), "0", "-o", target], "energy_gev, event 0, cell 3"),
        (["show", muons, str(N), "-o", target], f"a muon within 0..{N - 1}"),
        (["show", str(folder / "out.h5"), "-o", target], "found predicted energies"),
        (["show", muons, "--prediction", muons, "-o", target], "raw_gev"),
        (["convert", "to-lumin", str(dark), "-o", target], "x_mm and y_mm of every muon"),
        (["convert", "to-lumin", muons, "--folds", str(N + 1), "-o", target], "--folds"),
        (["convert", "lumin", lumin, "--folds", "3", "-o", target], "some of 0, 1, 2"),
        (["convert", "lumin", lumin, "--folds", "1", "1", "-o", target], "each once"),
        (["convert", "lumin", lumin, "--cell-mm", "0", "-o", target], "--cell-mm"),
        (["convert", "lumin", muons, "-o", target], "fold_0"),
        (["simulate", "energy", "-n", "2", "--setting", "none", "-o", target], "--setting"),
    ):
        capsys.readouterr()
        assert main(command) == 2, command
        last = capsys.readouterr().err.strip().splitlines()[-1]
        assert last.startswith("cloudchamber: ")
        assert "expected" in last
        assert words in last, command
        assert not Path(target).exists()
