"""What a report says of how its numbers came about, and how it is read off the files."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from cloudchamber.show.volumes import Grid

Attributes = Mapping[str, str | int | float]


class ReportFacts(BaseModel):
    """What a report says of how its numbers came about.

    Parameters
    ----------
    data, model, model_card, timing : whole sentences, but for the model, which is a name.
    commands : the command lines that make it all again.
    simulated : whether the volumes come from cloudchamber's simulation; the page says so beside every number.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = "Buried walls seen by cosmic muons"
    data: str = ""
    seed: int | None = None
    model: str = ""
    model_card: str = ""
    timing: str = ""
    commands: tuple[str, ...] = ()
    simulated: bool = True

    @property
    def volumes(self) -> str:
        """Say which volumes."""
        return "simulated volumes" if self.simulated else "volumes"

    @property
    def measured_on(self) -> str:
        """Say where they come from."""
        return "cloudchamber's simulation" if self.simulated else "the volumes given"


def _config(attributes: Attributes) -> dict[str, Any]:
    """Return the simulation's configuration that a data set holds; empty if it holds none."""
    try:
        found = json.loads(str(attributes.get("config", "{}")))
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _part(config: dict[str, Any], name: str) -> dict[str, Any]:
    found = config.get(name)
    return found if isinstance(found, dict) else {}


def find_grid(attributes: Attributes) -> Grid:
    """Return where the voxels of a data set lie: as its configuration says, else those of the challenge."""
    volume = _part(_config(attributes), "volume")
    return Grid(float(volume.get("voxel_m", Grid().voxel_m)), float(volume.get("base_m", Grid().base_m)))


def find_facts(
    truth: Path, truth_attributes: Attributes, out: Path, out_attributes: Attributes, shape: tuple[int, ...]
) -> ReportFacts:
    """Return what two files say of themselves: the data set ``truth`` and the predictions ``out``.

    Parameters
    ----------
    shape : (sample, z, x, y) of the volumes.
    """
    config = _config(truth_attributes)
    n, nz, nx, ny = shape
    voxel_m = find_grid(truth_attributes).voxel_m
    simulated = bool(config) and "seed" in truth_attributes
    verb = "simulated" if simulated else "read"
    data = f"{n:,} volumes of {nx * voxel_m:g} m × {ny * voxel_m:g} m × {nz * voxel_m:g} m were {verb}"
    if simulated:
        data += f", setting {config.get('setting', 'unknown')}"
        muons = _part(config, "muons").get("count")
        data += f", with {muons:,} muons each" if isinstance(muons, int) else ""
    model = str(out_attributes.get("model", ""))
    where, found = shlex.quote(str(truth)), shlex.quote(str(out))
    commands = []
    seed = int(truth_attributes["seed"]) if simulated else None
    if simulated and "setting" in config:
        commands.append(
            f"cloudchamber simulate walls -n {n} -o {where} --seed {seed} --setting {config['setting']}"
        )
    commands.append(f"cloudchamber report {found} {where}")
    return ReportFacts(
        data=f"{data}, in voxels of {voxel_m:g} m.",
        seed=seed,
        model=model,
        model_card=str(out_attributes.get("card", "")),
        commands=tuple(commands),
        simulated=simulated,
    )
