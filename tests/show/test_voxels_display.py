"""The page of sparse events: its data are those given, its text is harmless, its mistakes are told."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jaxtyping import Float

from cloudchamber.errors import InputError
from cloudchamber.labels import Process, VoxelLabel
from cloudchamber.show.voxels_data import particle_rows
from cloudchamber.show.voxels_display import write_voxels_display
from cloudchamber.show.voxels_theme import CLASSES, process_name, ramp
from cloudchamber.voxel_events import PARTICLE, VoxelEvents, join_events, offsets_of

Maker = Callable[..., VoxelEvents]
EVIL = "</script><script>alert(1)</script><!-- {{ 7 * 7 }} & \"'"
TYPES = {"Uint8Array": "<u1", "Uint16Array": "<u2", "Int32Array": "<i4", "Float32Array": "<f4"}


def data_of(path: Path) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="voxels-data">(.*?)</script>', path.read_text())
    assert found is not None
    data = json.loads(found[1])
    assert isinstance(data, dict)
    return data


def decoded(part: dict[str, str]) -> Any:
    return np.frombuffer(base64.b64decode(part["base64"]), TYPES[part["type"]])


def probabilities(events: VoxelEvents, seed: int = 0) -> Float[np.ndarray, "voxel class"]:
    return np.random.default_rng(seed).dirichlet(np.ones(5), len(events.energy_mev)).astype(np.float32)


def test_the_page_holds_what_was_given(toy_event: Maker, tmp_path: Path) -> None:
    events = join_events([toy_event(2000, 1), toy_event(500, 2)])
    probability = probabilities(events)
    predicted = events.label
    assert predicted is not None
    write_voxels_display(
        tmp_path / "e.html", events, predicted=predicted, probability=probability, names=["a", "b"]
    )
    data = data_of(tmp_path / "e.html")
    assert data["shape"] == [512, 512, 512]
    assert data["voxelCm"] == 0.3
    assert [each["name"] for each in data["events"]] == ["a", "b"]
    score = probability[np.arange(len(predicted)), predicted]
    for number, event in enumerate(events):
        shown, where = data["events"][number], events.voxels_of(number)
        np.testing.assert_array_equal(decoded(shown["position"]).reshape(-1, 3), event.position)
        np.testing.assert_array_equal(decoded(shown["energy"]), event.energy_mev)
        np.testing.assert_array_equal(decoded(shown["truth"]), event.label)
        np.testing.assert_array_equal(decoded(shown["predicted"]), predicted[where])
        np.testing.assert_array_equal(decoded(shown["score"]), score[where])
        assert event.particles is not None
        assert event.particle is not None
        rows = particle_rows(event.particles)
        found = [shown["particles"][k] for k in decoded(shown["particle"])]
        assert found == [rows[k] for k in event.particle]
        assert "non-zero accuracy 100.00%" in shown["facts"]
        assert "primaries: mu- 612.5 MeV, p 240 MeV, gamma 900 MeV, e-" in shown["facts"]


def test_the_most_probable_class_is_the_prediction(toy_event: Maker, tmp_path: Path) -> None:
    event = toy_event(300)
    probability = probabilities(event)
    write_voxels_display(tmp_path / "e.html", event, probability=probability)
    (shown,) = data_of(tmp_path / "e.html")["events"]
    np.testing.assert_array_equal(decoded(shown["predicted"]), probability.argmax(axis=1))
    np.testing.assert_array_equal(decoded(shown["score"]), probability.max(axis=1))


def test_particles_are_told(tmp_path: Path) -> None:
    particles = np.zeros(3, PARTICLE)
    particles["pdg"], particles["parent"] = (13, 11, 22), (-1, 0, 7)
    particles["process"] = Process.PRIMARY, Process.MUON_CAPTURE, 200
    particles["kinetic_mev"] = 612.5, np.nan, np.inf
    assert particle_rows(particles) == [
        ["mu-", 612.5, "primary", None],
        ["e-", None, "muon capture", "mu-"],
        ["gamma", None, "process 200", None],
    ]
    assert process_name(Process.MOLLER) == "Møller scattering"


def test_voxels_of_no_or_unlisted_particles_stay_in_line(toy_event: Maker, tmp_path: Path) -> None:
    event = toy_event(100)
    owner = np.full(100, -1, np.int32)
    owner[:2] = 1, 77
    write_voxels_display(tmp_path / "e.html", replace(event, particle=owner))
    (shown,) = data_of(tmp_path / "e.html")["events"]
    place = decoded(shown["particle"])
    assert shown["particles"][place[0]] == ["e-", 8.25, "ionisation", "mu-"]
    assert shown["particles"][place[1]] == ["unknown", None, "unknown", None]
    assert (place[2:] == -1).all()


def test_what_a_file_lacks_the_page_lacks(toy_event: Maker, tmp_path: Path) -> None:
    bare = replace(
        toy_event(50), label=None, particle=None, particles=None, particle_offsets=None, shape=(10**6, 4, 4)
    )
    bare.position[-1, 0] = 99_999
    write_voxels_display(tmp_path / "e.html", bare)
    page = (tmp_path / "e.html").read_text()
    (shown,) = data_of(tmp_path / "e.html")["events"]
    assert set(shown) == {"name", "position", "energy", "facts"}
    np.testing.assert_array_equal(decoded(shown["position"]).reshape(-1, 3), bare.position)
    for control in ('id="wrong"', 'id="score"', "data-class="):
        assert control not in page.split('id="voxels-data"')[0]


def test_text_of_others_does_nothing(toy_event: Maker, tmp_path: Path) -> None:
    event = toy_event(50)
    write_voxels_display(tmp_path / "e.html", event, title=EVIL, names=[EVIL], facts={EVIL: EVIL})
    page = (tmp_path / "e.html").read_text()
    assert "<script>alert" not in page
    assert "<!--" not in page
    assert data_of(tmp_path / "e.html")["events"][0]["name"] == EVIL
    assert page.count("{{ 7 * 7 }}") == 5  # <title>, <h1>, fact and its name, name of the event


def test_the_page_is_small_and_refers_to_nothing(toy_event: Maker, tmp_path: Path) -> None:
    event = toy_event(20_000)
    write_voxels_display(tmp_path / "e.html", event, probability=probabilities(event))
    page = (tmp_path / "e.html").read_text()
    assert len(page) < 60_000 + 30 * 20_000
    assert not re.findall(r"https?://|src=|@import|fetch\(|XMLHttp", page)


def test_mistakes_are_told(toy_event: Maker, tmp_path: Path) -> None:
    event, path = toy_event(50), tmp_path / "e.html"
    none = VoxelEvents((4, 4, 4), 3.0, offsets_of([]), np.zeros((0, 3), np.int32), np.zeros(0, np.float32))
    with pytest.raises(InputError, match="at least one event"):
        write_voxels_display(path, none)
    with pytest.raises(InputError, match="1 names, found 2"):
        write_voxels_display(path, event, names=["a", "b"])
    with pytest.raises(InputError, match=r"predicted: expected an array of shape \(50,\), found \(49,\)"):
        write_voxels_display(path, event, predicted=np.zeros(49, np.uint8))
    with pytest.raises(InputError, match="predicted: expected classes 0 to 4, found 5"):
        write_voxels_display(path, event, predicted=np.full(50, 5, np.uint8))
    with pytest.raises(InputError, match="label: expected classes 0 to 4, found 255"):
        write_voxels_display(path, replace(event, label=np.full(50, 255, np.uint8)))
    with pytest.raises(InputError, match=r"probability: expected shape \(50, 5\), found \(50, 4\)"):
        write_voxels_display(path, event, probability=np.full((50, 4), 0.25, np.float32))
    assert not path.exists()


def _lab(colour: str, blindness: np.ndarray) -> Any:
    """CIE L*a*b* (D65) of a colour as somebody with a blindness sees it."""
    rgb = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(blindness @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ linear / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


# Machado, Oliveira and Fernandes (2009), severity 1.0.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    ),
}


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_classes_are_told_apart_by_the_colour_blind(sight: str, theme: str) -> None:
    assert list(CLASSES) == list(VoxelLabel)
    colours = {label.name: _lab(getattr(style, theme), SIGHT[sight]) for label, style in CLASSES.items()}
    apart = {(a, b): float(np.linalg.norm(colours[a] - colours[b])) for a, b in combinations(colours, 2)}
    assert min(apart.values()) > 15, apart


def test_the_colour_scale_grows_lighter() -> None:
    lightness = [_lab("#{:02x}{:02x}{:02x}".format(*colour), np.eye(3))[0] for colour in ramp()]
    assert len(lightness) == 32
    assert (np.diff(lightness) > 0).all()
