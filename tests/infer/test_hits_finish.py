"""From a recipe for hits to a bundle; what it says at pixels, its score, data of others."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from cloudchamber.errors import InputError
from cloudchamber.infer.hits_bundle import HitsBundle, HitsBundleConfig, load_hits_bundle, save_hits_bundle
from cloudchamber.infer.hits_elsewhere import fitted_events, median_signal, score_labelled, scores_of_lit
from cloudchamber.infer.hits_finish import score_text, train_hits_recipe
from cloudchamber.infer.hits_measure import classify_pixels, match_planes, measure_hits
from cloudchamber.model.registry import build_network
from cloudchamber.prepare.hit_images import HitScale, keep_images, scale_planes
from cloudchamber.score.hits import HitsScore, VertexScore
from cloudchamber.score.hits_truth import Pixels, pixels_of_hits
from cloudchamber.train.hits_recipe import HitsRecipe
from cloudchamber.wire_events import WireEvents

from ..hit_planes import READOUT, make_hit_events

PATCH = {"patch": 16, "filters": 4, "hidden": (16, 8), "dropout": 0.0}
PLANE = {"channels": 8, "head": 8, "dilations": (1, 2)}
EVENTS = make_hit_events(3, 2)


def _bundle(network: str, options: dict[str, Any]) -> HitsBundle:
    torch.manual_seed(1)
    built = build_network(network, options).eval()
    config = HitsBundleConfig(
        name="small", network=network, options=options, scale=HitScale(), pitch_mm=4.79,
        drift_mm=READOUT.drift_mm, n_train=1,
    )  # fmt: skip
    return HitsBundle(config, built, "# small\n\nSmall.\n")


def _recipe(name: str, options: dict[str, Any], per_epoch: int, batch: int) -> HitsRecipe:
    return HitsRecipe.model_validate({
        "name": "small", "task": "hits", "about": "Small.",
        "data": {"train": {"n": 8, "seed": 1}, "validation": {"n": 3, "seed": 2}, "crop": 48,
                 "validation_patches": 300},
        "model": {"name": name, "options": options},
        "training": {"epochs": 8, "batch": batch, "optimiser": "adam",
                     "schedule": {"kind": "one-cycle", "start": 1e-3, "peak": 1e-2},
                     "draw": {"per_epoch": per_epoch, "hardness": 0.5},
                     "loss": {"classes": 1.0, "michel_kind": "cross-entropy"}},
    })  # fmt: skip


@pytest.mark.parametrize("network", ["hits-plane", "hits-vertex"])
def test_a_recipe_ends_in_a_bundle_that_says_the_same(tmp_path: Path, network: str) -> None:
    plane = network == "hits-plane"
    recipe = _recipe(network, PLANE if plane else PATCH, 60 if plane else 640, 3 if plane else 32)
    done = train_hits_recipe(
        recipe, tmp_path / "run", keep_images([make_hit_events(8, 1)]), lambda: iter(EVENTS), threads=1
    )
    save_hits_bundle(tmp_path / "bundle", done.bundle)
    loaded = load_hits_bundle(tmp_path / "bundle")
    assert loaded.config == done.bundle.config
    at = pixels_of_hits(EVENTS)
    np.testing.assert_array_equal(
        classify_pixels(loaded, EVENTS, at), classify_pixels(done.bundle, EVENTS, at)
    )
    text = " ".join(loaded.card.split())
    assert score_text(done.score) in text
    assert f"{sum(p.numel() for p in loaded.network.parameters()):,} parameters" in text
    if isinstance(done.score, HitsScore):
        assert done.score.em.area.value is not None
        assert done.score.em.area.value > 0.95
        assert done.score.at == "hits"
    else:
        assert isinstance(done.score, VertexScore)
        assert [each.n for each in done.score.kinds] == [3, 0, 0, 0]
        assert [each.n for each in done.score.found] == [3, 0, 0, 0, 3]
        assert done.score.n_planes == 3
        assert loaded.config.vertex_cuts == tuple(each.cut for each in done.score.found)
        measured = measure_hits(loaded, EVENTS, planes=EVENTS)
        assert isinstance(measured, VertexScore)
        assert measured.found == done.score.found
        assert "on whole planes, within 30 mm" in text
        alone = measure_hits(loaded, EVENTS)
        assert isinstance(alone, VertexScore)
        assert (alone.kinds, alone.found) == (measured.kinds, ())
    again = train_hits_recipe(
        recipe, tmp_path / "run", keep_images([make_hit_events(8, 1)]), lambda: iter(EVENTS), threads=1
    )
    assert again.score == done.score


@pytest.mark.parametrize(("network", "options"), [("hits-patch", PATCH), ("hits-plane", PLANE)])
def test_a_hit_has_the_scores_of_its_pixel(network: str, options: dict[str, Any]) -> None:
    bundle = _bundle(network, options)
    at = Pixels(np.array([2, 0, 2]), np.array([5, 63, 5]), np.array([7, 0, 7]))
    scores = classify_pixels(bundle, EVENTS, at)
    np.testing.assert_allclose(scores[:, :3].sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(scores[0], scores[2])
    alone = classify_pixels(bundle, EVENTS.chosen(2, 3), Pixels(np.array([0]), np.array([5]), np.array([7])))
    np.testing.assert_allclose(scores[:1], alone, atol=1e-6)
    if network == "hits-plane":
        with torch.inference_mode():
            classes, michel = bundle.network(torch.from_numpy(scale_planes(EVENTS, HitScale())))
        expected = torch.cat([classes.softmax(dim=1), michel.sigmoid()], dim=1)[0, :, 63, 0].numpy()
        np.testing.assert_allclose(scores[1], expected, atol=1e-6)


def test_pixels_of_another_size_are_refused() -> None:
    bundle = _bundle("hits-plane", PLANE)
    other = WireEvents(replace(READOUT, rebin=4), EVENTS.code)
    with pytest.raises(InputError, match="as the network was trained"):
        classify_pixels(bundle, other, Pixels(*[np.zeros(1, np.int64)] * 3))
    with pytest.raises(ValueError, match="with hits"):
        measure_hits(bundle, [WireEvents(READOUT, EVENTS.code)])


def test_frames_of_others_are_read_as_the_network_was_trained() -> None:
    bundle = _bundle("hits-plane", PLANE)
    median = median_signal([EVENTS], bundle)
    lit = EVENTS.signal()[EVENTS.signal() > 10]
    assert median == pytest.approx(float(np.median(lit)))
    signal = np.where(EVENTS.signal() > 10, EVENTS.signal() / 40, 0)
    assert EVENTS.activity is not None
    assert EVENTS.michel is not None
    finer = WireEvents(
        replace(READOUT, rebin=3, unit="unknown", zero=0.0, step=1.0), np.repeat(signal, 2, axis=2),
        activity=np.repeat(EVENTS.activity, 2, axis=2), michel=np.repeat(EVENTS.michel, 2, axis=2),
    )  # fmt: skip
    fitted = fitted_events(bundle, [finer], median)[0]
    assert fitted.readout.rebin == 6
    np.testing.assert_allclose(fitted.signal(), np.where(EVENTS.signal() > 10, EVENTS.signal(), 0), rtol=1e-4)
    score = score_labelled(bundle, finer, median)
    assert score.at == "lit pixels"
    assert score.n == len(scores_of_lit(bundle, finer, median)) == len(lit)
    with pytest.raises(InputError, match="with a signal"):
        fitted_events(bundle, [replace(finer, code=np.zeros_like(finer.code))], median)
    with pytest.raises(InputError, match="of drift"):
        fitted_events(bundle, [replace(finer, readout=replace(finer.readout, drift_mm_us=16))], median)


def test_cuts_of_vertices_are_one_for_each_kind_or_none() -> None:
    config = _bundle("hits-vertex", PATCH).config
    assert config.vertex_cuts == ()
    with pytest.raises(ValidationError, match="a cut for each of decay"):
        HitsBundleConfig.model_validate({**config.model_dump(), "vertex_cuts": (0.5,)})
    with pytest.raises(ValueError, match="with vertices"):
        match_planes(_bundle("hits-vertex", PATCH), [replace(EVENTS, vertex=None)])
    with pytest.raises(InputError, match="one at least"):
        match_planes(_bundle("hits-vertex", PATCH), [])


def test_a_bundle_for_another_task_is_refused() -> None:
    with pytest.raises(InputError, match="a model for hits"):
        load_hits_bundle("walls/best")
