"""The points of every scan: one property changes, all else stays as the setting has it."""

from typing import Any

import pytest

from cloudchamber.simulate.walls.config import CHALLENGE, FULL, SETTINGS
from cloudchamber.simulate.walls.variations import SCANS, changed, vary


def differences(one: dict[str, Any], other: dict[str, Any], path: str = "") -> set[str]:
    found = set()
    for key, value in one.items():
        place = f"{path}{key}"
        if isinstance(value, dict):
            found |= differences(value, other[key], f"{place}.")
        elif value != other[key]:
            found.add(place)
    return found


MAY_DIFFER = {
    "exposure": {"muons.count"},
    "resolution": {"panels.resolution_m", "reconstruction.fit_precision"},
    "span": {"panels.span_m"},
    "panels": {"panels.above_m", "panels.below_m"},
    "momentum": {"reconstruction.momentum"},
}


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("setting", list(SETTINGS))
@pytest.mark.parametrize("name", [scan.name for scan in SCANS])
def test_one_property_changes(name: str, setting: str, quick: bool) -> None:
    base = SETTINGS[setting]().model_dump()
    points = vary(name, setting, quick=quick)
    assert points
    assert [point.x for point in points] == sorted({point.x for point in points})
    assert len({point.label for point in points}) == len(points)
    for point in points:
        assert (point.scan, point.setting, point.config.setting) == (name, setting, setting)
        assert differences(base, point.config.model_dump()) <= MAY_DIFFER[name]


@pytest.mark.parametrize("setting", list(SETTINGS))
def test_scans_meet_in_the_setting_itself(setting: str) -> None:
    base = SETTINGS[setting]()
    for name in ("exposure", "span", "panels", "momentum"):
        assert sum(point.config == base for point in vary(name, setting)) == 1
    assert sum(point.config == base for point in vary("resolution", FULL)) == (setting == FULL)


def test_panels_keep_their_lever_arm() -> None:
    for point in vary("panels", CHALLENGE):
        panels = point.config.panels
        assert len(panels.above_m) == len(panels.below_m) == point.x
        assert (panels.above_m[0], panels.above_m[-1]) == (12.0, 11.25)
        assert (panels.below_m[0], panels.below_m[-1]) == (1.0, 0.25)


def test_changes_are_checked() -> None:
    with pytest.raises(ValueError, match="resolution_m"):
        changed(SETTINGS[CHALLENGE](), "panels", resolution_m=-1.0)


def test_what_is_changed_beside_the_exposure() -> None:
    assert not any(point.changed for setting in SETTINGS for point in vary("exposure", setting))
    assert [point.changed for point in vary("momentum", FULL)] == [True, False, True]
    assert [point.changed for point in vary("panels", CHALLENGE)] == [True, True, False]
