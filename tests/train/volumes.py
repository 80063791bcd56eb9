"""Small volumes that train in seconds: a bright cube in a noisy map."""

import numpy as np

from cloudchamber.prepare.volumes import WallVolumes
from cloudchamber.train.recipe import Data, ModelChoice, Recipe, Simulated, Training


def make_volumes(n: int, seed: int) -> WallVolumes:
    rng = np.random.default_rng(seed)
    walls = np.zeros((n, 6, 6, 6), dtype=bool)
    for volume in walls:
        z, x, y = rng.integers(0, 4, size=3)
        volume[z : z + 2, x : x + 3, y : y + 2] = True
    x0 = np.where(walls, 0.02, 0.06) * rng.lognormal(0, 0.3, walls.shape)
    return WallVolumes({"x0": x0.astype(np.float32)}, walls)


def make_recipe(epochs: int = 3, name: str = "small", **training: object) -> Recipe:
    return Recipe(
        name=name,
        task="walls",
        about="Cubes in noise.",
        data=Data(train=Simulated(n=96, seed=1), validation=Simulated(n=32, seed=2)),
        model=ModelChoice(
            name="walls-unet",
            options={"features": 8, "levels": 1, "layers": 6, "gravnet": {"neighbours": 4, "outputs": [8]}},
        ),
        training=Training.model_validate({"epochs": epochs, "batch": 16, "precision": "32", **training}),
        thresholds="global",
    )
