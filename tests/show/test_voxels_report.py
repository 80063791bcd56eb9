"""Tables, plots and the report of voxels: what is in them."""

import re
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
import pytest
from jaxtyping import Float, UInt8

from cloudchamber.errors import InputError
from cloudchamber.labels import VoxelLabel
from cloudchamber.score.bootstrap import Estimate
from cloudchamber.score.michel import Michels, find_michels
from cloudchamber.score.michel_energy import michel_spectrum
from cloudchamber.score.michel_score import score_michels
from cloudchamber.score.michel_spectrum import END_POINT_MEV, EndPoint
from cloudchamber.score.published_voxels import ACCURACIES
from cloudchamber.score.voxels import VoxelsScore, score_voxels
from cloudchamber.score.voxels_parts import shower_scores
from cloudchamber.show import voxels_tables as tables
from cloudchamber.show.michel_plots import plot_cluster_sizes, plot_michel_spectrum
from cloudchamber.show.theme import inline_svg, png_bytes
from cloudchamber.show.voxels_plots import (
    plot_class_accuracies,
    plot_class_shares,
    plot_confusion,
    plot_reliability,
    plot_shower_scores,
    plot_track_ends,
)
from cloudchamber.show.voxels_report import VoxelsFacts, write_voxels_report
from cloudchamber.voxel_events import PARTICLE, VoxelEvents, join_events, offsets_of

_N_EVENTS = 70


class Scored(NamedTuple):
    truth: VoxelEvents
    predicted: UInt8[np.ndarray, "voxel"]
    probability: Float[np.ndarray, "voxel class"]
    score: VoxelsScore
    michels: Michels


def one_event(rng: np.random.Generator) -> VoxelEvents:
    """Return a stopping muon with its electron, a proton, a delta ray and a shower; 1 MeV to a voxel."""
    steps = np.arange(60)
    muon = np.column_stack([steps + 10, 20 + 0 * steps, 20 + 0 * steps])
    electron = np.array([[70, 20, 20 + k] for k in range(int(40 * rng.random() ** 0.4) + 8)])
    proton = np.array([[10 + k, 60, 20] for k in range(25)])
    delta = np.array([[30, 21 + k, 20] for k in range(6)])
    shower = np.unique(rng.integers(90, 110, (120, 3)), axis=0)
    parts = [proton, muon, shower, delta, electron]  # in the order of the classes
    sizes = [len(part) for part in parts]
    position = np.concatenate(parts).astype(np.int32)
    label = np.repeat(np.arange(5, dtype=np.uint8), sizes)
    order = np.lexsort(position.T)
    particles = np.zeros(5, PARTICLE)
    particles["label"], particles["parent"] = np.arange(5), -1
    particles["kinetic_mev"] = [300, 150, 200, 5, END_POINT_MEV * rng.random() ** 0.3]
    particles["end_mm"] = [3.0 * (part[-1] + 0.5) for part in parts]
    return VoxelEvents(
        (192, 192, 192), 3.0, offsets_of([len(position)]), position[order],
        np.ones(len(position), np.float32), label[order], label[order].astype(np.int32), offsets_of([5]),
        particles,
    )  # fmt: skip


@pytest.fixture(scope="module")
def scored() -> Scored:
    rng = np.random.default_rng(8)
    truth = join_events([one_event(rng) for _ in range(_N_EVENTS)])
    assert truth.label is not None
    logits = 5 * np.eye(5)[truth.label] + rng.normal(0, 1.5, (len(truth.label), 5))
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    predicted = probability.argmax(axis=1).astype(np.uint8)
    score = score_voxels(truth, predicted, probability, resamples=50)
    return Scored(truth, predicted, probability, score, find_michels(truth, predicted))


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (None, None, "–"),
        (0.5, None, "50.0"),
        (0.9812, 0.0034, "98.1 ± 0.3"),
        (0.99921, 0.00008, "99.92 ± 0.01"),
        (1.0, 0.0, "100.0 ± 0.0"),
    ],
)
def test_percent(value: float | None, error: float | None, text: str) -> None:
    assert tables.percent(Estimate(value=value, error=error)) == text


def test_class_rows(scored: Scored) -> None:
    rows = tables.class_rows(scored.score)
    assert [row[0] for row in rows["rows"]] == ["HIP", "MIP", "shower", "delta ray", "Michel"]
    assert rows["rows"][1][1] == f"{60 * _N_EVENTS:,}"
    assert sum(float(row[2]) for row in rows["rows"]) == pytest.approx(100, abs=0.05)
    assert all(len(row) == len(rows["head"]) for row in rows["rows"])


def test_published_accuracies_stand_above_ours(scored: Scored) -> None:
    rows = tables.published_accuracy_rows(scored.score, "mine")["rows"]
    assert rows[0] == ["regular labels, scored on regular labels", "98.0", "99.4", "99.4", "85.7", "56.6"]
    assert rows[-1][0] == "mine, on cloudchamber's simulation"
    assert rows[-1][1:] == [tables.percent(each.accuracy) for each in scored.score.classes]


def test_confusion_rows_count_every_voxel(scored: Scored) -> None:
    rows = tables.confusion_rows(scored.score)["rows"]
    assert sum(int(cell.replace(",", "")) for row in rows for cell in row[1:]) == len(scored.predicted)


def test_distance_rows(scored: Scored) -> None:
    rows = tables.distance_rows(scored.score.by_track_end)["rows"]
    assert rows[0][:2] == ["0–2", f"{4 * _N_EVENTS}"]
    assert sum(int(row[1].replace(",", "")) for row in rows) == (60 + 25) * _N_EVENTS


def test_michel_rows(scored: Scored) -> None:
    score = score_michels(scored.michels)
    rows = {row[0]: row[1:] for row in tables.michel_rows(score)["rows"]}
    assert rows["candidates"] == ["7,105", "–", f"{score.n_candidates}"]
    assert rows["ID purity: matched / candidates"][:2] == ["98.8", "96.7"]
    assert rows["cluster efficiency: common / true voxels"] == [
        "96.1",
        "95.4",
        tables.percent(score.cluster_efficiency),
    ]
    counts = tables.michel_count_rows(score)["rows"]
    assert counts[4] == ["true Michel clusters", f"{_N_EVENTS}"]


def test_end_point_rows(scored: Scored) -> None:
    fit = EndPoint(
        end_point_mev=52.1, error_mev=0.4, resolution_mev=0.5, resolution_error_mev=3, radiation=0.9,
        radiation_error=0.1, chi2=30.2, n_dof=31, n=900, window_mev=(10, 80),
    )  # fmt: skip
    spectrum = michel_spectrum(scored.michels)
    rows = tables.end_point_rows(
        spectrum.model_copy(update={"deposited_fit": fit, "reconstructed_fit": None})
    )
    assert rows["rows"][0][1:] == ["–"] * 5
    assert rows["rows"][1][1:] == ["900", "52.1 ± 0.4", "0.5 or less", "0.90 ± 0.10", "30.2 / 31"]
    assert rows["rows"][2][4] == "none"


def test_confusion_is_drawn_by_true_class(scored: Scored) -> None:
    axes = plot_confusion(scored.score).axes[0]
    shares = np.asarray(axes.images[0].get_array())
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert shares[0, 0] == pytest.approx(scored.score.classes[0].accuracy.value)


def test_track_ends_are_drawn_where_they_are(scored: Scored) -> None:
    axes = plot_track_ends(scored.score).axes[0]
    x, y = axes.containers[0].lines[0].get_data()  # type: ignore[attr-defined]
    assert len(x) == len(scored.score.by_track_end)
    assert y[0] == pytest.approx(100 * (scored.score.by_track_end[0].accuracy.value or 0))
    assert axes.get_ylim()[1] == 100


def test_spectrum_holds_every_cluster(scored: Scored) -> None:
    spectrum = michel_spectrum(scored.michels)
    axes = plot_michel_spectrum(spectrum).axes[0]
    _, y = axes.containers[0].lines[0].get_data()  # type: ignore[attr-defined]
    assert sum(y) == sum(spectrum.reconstructed) == scored.michels.predicted.candidate.sum()
    fitted = [line for line in axes.lines if str(line.get_label()).startswith("fit")]
    assert len(fitted) == sum(fit is not None for fit in (spectrum.reconstructed_fit, spectrum.kinetic_fit))


def test_cluster_sizes_are_drawn(scored: Scored) -> None:
    points = np.asarray(plot_cluster_sizes(scored.michels).axes[0].collections[0].get_offsets())
    assert len(points) == scored.michels.predicted.matched.sum() > 0
    assert (points[:, 1] <= points[:, 0] + 30).all()


def test_shares_are_those_of_the_labels(scored: Scored) -> None:
    label = scored.truth.label
    assert label is not None
    bars = plot_class_shares(label, scored.predicted).axes[0].patches
    heights = [bar.get_height() for bar in bars]  # type: ignore[attr-defined]
    assert heights[:5] == pytest.approx(100 * np.bincount(label) / len(label))
    assert sum(heights) == pytest.approx(200)


def test_shower_scores_of_large_showers_only(scored: Scored) -> None:
    scores = shower_scores(scored.truth, scored.probability)
    axes = plot_shower_scores(scores, least_voxels=int(np.median(scores.n_voxels)) + 1).axes[0]
    drawn = sum(bar.get_height() for bar in axes.patches[:50])  # type: ignore[attr-defined]
    assert 0 < drawn < _N_EVENTS


def test_plots_need_what_they_draw(scored: Scored) -> None:
    bare = scored.score.model_copy(update={"by_track_end": (), "reliability": ()})
    with pytest.raises(ValueError, match="without particles"):
        plot_track_ends(bare)
    with pytest.raises(ValueError, match="without probabilities"):
        plot_reliability(bare)


def test_plots_are_pictures_of_a_page(scored: Scored) -> None:
    figures = [
        plot_reliability(scored.score),
        plot_class_accuracies(scored.score, ACCURACIES[0].accuracy, "published"),
        plot_confusion(scored.score),
    ]
    for k, figure in enumerate(figures):
        root = ElementTree.fromstring(inline_svg(figure, f"plot{k}", "what it shows"))
        assert root.get("aria-label") == "what it shows"
        assert png_bytes(figure).startswith(b"\x89PNG")


def write(path: Path, scored: Scored, **changes: Any) -> str:
    given: dict[str, Any] = {
        "truth": scored.truth, "predicted": scored.predicted, "probability": scored.probability,
        "score": scored.score, "michels": scored.michels,
        "facts": VoxelsFacts(model="<b>uresnet</b>", seed=7),
    }  # fmt: skip
    write_voxels_report(path, **(given | changes))
    return path.read_text(encoding="utf-8")


def test_report_says_what_was_found(scored: Scored, tmp_path: Path) -> None:
    page = write(tmp_path / "report.html", scored)
    value, _, error = tables.percent(scored.score.accuracy, 2).partition(" ± ")
    assert f"<b>{value} <i>±</i> {error} %</b>" in page
    assert f"{len(scored.predicted):,} voxels in {_N_EVENTS} events" in page
    assert "&lt;b&gt;uresnet&lt;/b&gt;" in page
    assert "<b>uresnet</b>" not in page
    for text in ("7,105", "56.6", "Quoted:", "cloudchamber&#39;s simulation", "The seed was 7"):
        assert text in page
    assert page.count("<svg") == 8
    assert not re.search(r'<(script|img|link|iframe)[^>]+(src|href)="(?!data:)', page)
    assert len(page) < 1e6


def test_report_without_probabilities_and_michels(scored: Scored, tmp_path: Path) -> None:
    score = score_voxels(scored.truth, scored.predicted, resamples=10)
    facts = VoxelsFacts(simulated=False, relabelled=True)
    page = write(tmp_path / "r.html", scored, probability=None, score=score, michels=None, facts=facts)
    assert page.count("<svg") == 4
    assert "Michel electrons</h2>" not in page
    assert "cloudchamber&#39;s simulation" not in page
    assert "cloudchamber's own simulation" not in page
    assert "touch no track count as shower" in page


def test_report_of_other_events(scored: Scored, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected that of 1 events"):
        write(tmp_path / "r.html", scored, truth=scored.truth.chosen(0, 1))


def test_classes_are_all_named() -> None:
    assert set(ACCURACIES[0].accuracy) == set(VoxelLabel)
