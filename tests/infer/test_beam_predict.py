"""Trained networks on wires: bundles, images, planes through images and in tiles."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cloudchamber.errors import InputError
from cloudchamber.infer.beam_bundle import BeamBundle, BeamBundleConfig, load_beam_bundle, save_beam_bundle
from cloudchamber.infer.beam_finish import train_beam_recipe
from cloudchamber.infer.beam_predict import predict_images, predict_plane, view_wires
from cloudchamber.infer.voxels_bundle import load_voxels_bundle
from cloudchamber.model.registry import build_network
from cloudchamber.prepare.beam_images import BeamImageConfig, make_images
from cloudchamber.prepare.beam_input import BeamInput
from cloudchamber.prepare.windows import window_of
from cloudchamber.score.beam import score_beam
from cloudchamber.wire_events import WireEvents
from tests.train.beam import READOUT, make_beam_recipe, toy_images, toy_wire_events

OPTIONS: dict[str, object] = {"inputs": 3, "widths": (6, 8, 10), "blocks": (1, 1, 1), "detail": 4}


def bundle_of(wires: int = 32, drifts: int = 32, **config: object) -> BeamBundle:
    """Return an untrained bundle for planes of 64 x 64, with normalisations of its own."""
    torch.manual_seed(3)
    images = toy_images(6)
    made = BeamImageConfig.model_validate({"wires": wires, "drifts": drifts, "least_signal": 30.0, **config})
    options = {**OPTIONS, "fine": made.read}
    network = build_network("beam-small", options).train()
    inputs = BeamInput().fitted(images)
    with torch.no_grad():
        for _ in range(3):
            network(3 * torch.rand(4, 3, 32 * made.read, 32 * made.read))
    found = BeamBundleConfig(
        name="small", network="beam-small", options=options, inputs=inputs, images=made, unit="adc",
        plane_wires=64, plane_drifts=64,
    )  # fmt: skip
    return BeamBundle(found, network.eval(), "For tests.")


def test_a_trained_network_its_bundle_and_its_card(tmp_path: Path) -> None:
    train, validation = toy_images(24), toy_images(8, seed=2)
    done = train_beam_recipe(
        make_beam_recipe(), tmp_path / "run", train, validation, plane=(64, 64), threads=1
    )
    save_beam_bundle(tmp_path / "bundle", done.bundle)
    loaded = load_beam_bundle(tmp_path / "bundle")
    assert loaded.config == done.bundle.config
    predicted = predict_images(loaded, validation)[0]
    assert validation.label is not None
    assert score_beam(validation.label, predicted).mean_iou.value == done.score.mean_iou.value
    text = " ".join(loaded.card.split())
    assert "3 epochs" in text
    assert done.score.mean_iou.text(4) in text
    with pytest.raises(InputError, match="voxels"):
        load_voxels_bundle(tmp_path / "bundle")


def test_planes_get_the_class_of_their_window_where_they_are_lit() -> None:
    bundle, event = bundle_of(), toy_wire_events(1, seed=7)
    plane = predict_plane(bundle, event)
    label, probability = predict_images(bundle, make_images(event, bundle.config.images))
    lit = event.signal()[0] >= 30
    for wire, drift in np.ndindex(64, 64):
        expected = label[0, wire // 2, drift // 2] if lit[wire, drift] else 0
        assert plane.label[wire, drift] == expected
        if lit[wire, drift]:
            found = probability[0, expected, wire // 2, drift // 2]
            assert plane.probability[wire, drift] == pytest.approx(found)
    assert lit.sum() > 100


def test_finer_ticks_are_labelled_one_by_one() -> None:
    bundle, event = bundle_of(), toy_wire_events(1, seed=7)
    finer = replace(
        event, readout=replace(READOUT, rebin=2), code=np.repeat(event.code, 3, axis=2), beam=None
    )
    plane, coarse = predict_plane(bundle, finer), predict_plane(bundle, event)
    assert plane.label.shape == (64, 192)
    np.testing.assert_array_equal(plane.label[:, 1::3], coarse.label)
    assert window_of(192, 32).tolist() == np.repeat(np.arange(32), 6).tolist()


def test_smaller_planes_have_fewer_windows_of_the_same_size() -> None:
    bundle, event = bundle_of(), toy_wire_events(1, seed=7)
    part = WireEvents(event.readout, event.code[:, :40, :50])
    plane = predict_plane(bundle, part)
    assert plane.label.shape == (40, 50)
    assert set(np.unique(plane.label)) <= {0, 1, 2}
    assert (plane.label[event.signal()[0, :40, :50] < 30] == 0).all()


@pytest.mark.parametrize("most", [10**6, 100**2])
def test_tiles_of_a_plane_equal_the_whole(most: int) -> None:
    bundle = bundle_of(wires=64, drifts=64)
    assert bundle.config.whole_planes
    event = toy_wire_events(1, seed=9, shape=(64, 520))
    code = event.code
    with torch.inference_mode():
        place = (-1.0, 1.0, -1.0, 2 * 519 / 63 - 1)
        read = bundle.config.inputs(event.signal(), place)
        logits = bundle.network(torch.nn.functional.pad(read, (0, -520 % 8, 0, 0)))[0, :, :, :520]
    wanted = logits.softmax(dim=0).numpy()
    plane = predict_plane(bundle, WireEvents(event.readout, code), most_pixels=most)
    np.testing.assert_allclose(plane.probability, wanted.max(axis=0), atol=1e-5)
    certain = np.sort(wanted, axis=0)[-1] - np.sort(wanted, axis=0)[-2] > 1e-4
    np.testing.assert_array_equal(plane.label[certain], wanted.argmax(axis=0)[certain])


def test_views_of_a_whole_detector() -> None:
    views = view_wires(5760, 1440)
    assert len(views) == 4
    np.testing.assert_array_equal(np.sort(np.concatenate(views)), np.arange(5760))
    beam_side = np.concatenate([np.arange(480) + apa * 960 for apa in range(3)])
    np.testing.assert_array_equal(views[0], beam_side)
    np.testing.assert_array_equal(views[1], beam_side + 480)
    np.testing.assert_array_equal(views[2], beam_side + 2880)
    assert len(view_wires(960, 1440)) == 1
    event = toy_wire_events(1, shape=(256, 64))
    label = predict_plane(bundle_of(), replace(event, beam=None)).label
    assert label.shape == (256, 64)
    alone = WireEvents(event.readout, event.code[:, view_wires(256, 64)[0]])
    np.testing.assert_array_equal(label[view_wires(256, 64)[0]], predict_plane(bundle_of(), alone).label)


def test_learned_downsampling_labels_planes_too() -> None:
    bundle, event = bundle_of(downsampling="learned"), toy_wire_events(2, seed=7)
    images = make_images(event, bundle.config.images)
    assert images.code.shape == (2, 64, 64)
    label, probability = predict_images(bundle, images)
    assert label.shape == (2, 32, 32)
    np.testing.assert_allclose(probability.sum(axis=1), 1, atol=1e-5)
    assert predict_plane(bundle, event.chosen(0, 1)).label.shape == (64, 64)
    with pytest.raises(InputError, match="downsamples"):
        predict_plane(bundle, event.chosen(0, 1), "plane")


def test_electrons_are_taken_for_adc() -> None:
    bundle, event = bundle_of(), toy_wire_events(1, seed=7)
    electrons = replace(
        event, readout=replace(READOUT, unit="electrons", step=24.2), code=event.code, beam=None
    )
    plane = predict_plane(bundle, electrons)
    np.testing.assert_array_equal(plane.label, predict_plane(bundle, event).label)
    known = replace(bundle, config=bundle.config.model_copy(update={"unit": "volt"}))
    with pytest.raises(InputError, match="signals in volt"):
        predict_plane(known, electrons)


def test_pixels_that_do_not_make_up_the_networks_own() -> None:
    bundle, event = bundle_of(), toy_wire_events(1, seed=7)
    coarser = replace(event, readout=replace(READOUT, rebin=4), beam=None)  # 64 of 4 ticks are 43 of 6
    plane = predict_plane(bundle, coarser)
    assert plane.label.shape == (64, 64)
    assert (plane.label[event.signal()[0] < 30] == 0).all()
