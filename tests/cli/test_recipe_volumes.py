"""The data sets that recipes name, simulated where they are missing."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.cli.simulate import make_walls
from cloudchamber.cli.volumes import load_volumes, simulate_recipe_data
from cloudchamber.simulate.walls.config import SETTINGS
from cloudchamber.source.store import read_walls
from cloudchamber.train.recipe import Simulated

MAPS = ("x0", "score")


@pytest.mark.parametrize("setting", ["challenge-2022", "full"])
def test_a_range_of_exposures_in_either_setting(tmp_path: Path, setting: str) -> None:
    wanted = Simulated.model_validate({"n": 3, "seed": 4, "setting": setting, "muons": (40, 400)})
    path = tmp_path / "train.h5"
    simulate_recipe_data(path, wanted, maps=True, workers=1)
    data = read_walls(path, maps=MAPS)
    assert data.attributes["muons"] == "40:400, log-uniform"
    assert data.attributes["maps"] == "tracks"
    make = partial(make_walls, 4, SETTINGS[setting](), maps=True, muons=(40, 400))
    for index in range(3):
        np.testing.assert_array_equal(data.x0_m[index], make(index)["x0"])
    volumes = load_volumes(None, path, wanted, MAPS, 1)
    assert set(volumes.maps) == {"x0", "score"}
    assert len(volumes) == 3
