"""The scores of voxels and of Michel electrons as rows of text, the published ones beside them."""

from cloudchamber.score.bootstrap import Estimate
from cloudchamber.score.michel_energy import MichelSpectrum
from cloudchamber.score.michel_score import MichelScore
from cloudchamber.score.michel_spectrum import EndPoint, least_resolution_mev
from cloudchamber.score.published_voxels import ACCURACIES, MICHELS
from cloudchamber.score.voxels import VoxelsScore
from cloudchamber.score.voxels_parts import DistanceBin
from cloudchamber.show.tables import Rows
from cloudchamber.show.voxels_theme import CLASSES

MEASURED_ON = "cloudchamber's simulation"


def share_text(value: float | None, digits: int = 1) -> str:
    """Return a published share in percent, without a sign, as the head of its column has it."""
    return "–" if value is None else f"{100 * value:.{digits}f}"


def percent(estimate: Estimate, digits: int = 1) -> str:
    """Return an estimate in percent with its error, without a sign: ``62.1 ± 0.8``.

    An error that would read as zero has one more digit, and the value with it.
    """
    if estimate.value is None:
        return "–"
    value, error = 100 * estimate.value, estimate.error
    if error is None:
        return f"{value:.{digits}f}"
    if 0 < 100 * error < 0.5 * 10**-digits:
        digits += 1
    return f"{value:.{digits}f} ± {100 * error:.{digits}f}"


def class_rows(score: VoxelsScore) -> Rows:
    """Return a row for each class."""
    rows = [
        [
            CLASSES[each.label].name,
            f"{each.n_voxels:,}",
            share_text(each.n_voxels / score.n_voxels, 2),
            percent(each.accuracy),
            percent(each.purity),
            percent(each.iou),
        ]
        for each in score.classes
    ]
    return Rows(head=["class", "voxels", "share (%)", "accuracy (%)", "purity (%)", "IOU (%)"], rows=rows)


def published_accuracy_rows(
    score: VoxelsScore, model: str = "this prediction", measured_on: str = MEASURED_ON
) -> Rows:
    """Return the published accuracies by class, with the labels trained and scored on, and ours last."""
    names = [f"{CLASSES[each.label].name} (%)" for each in score.classes]
    rows = [
        [f"{each.trained_on}, scored on {each.scored_on}"]
        + [share_text(each.accuracy[own.label]) for own in score.classes]
        for each in ACCURACIES
    ]
    rows.append([f"{model}, on {measured_on}", *(percent(each.accuracy) for each in score.classes)])
    return Rows(head=["accuracy", *names], rows=rows)


def summary_items(score: VoxelsScore) -> list[tuple[str, str]]:
    """Return name and value of what is said of all voxels."""
    items = [
        ("non-zero accuracy", f"{percent(score.accuracy, 2)} %"),
        ("mean of the events' accuracies", f"{percent(score.event_accuracy, 2)} %"),
        ("mean IOU of the classes", f"{percent(score.mean_iou)} %"),
    ]
    if score.shower_uniformity is not None:
        uniform = score.shower_uniformity
        items += [
            ("shower score of true shower voxels, mean of events", uniform.event_mean.text(4)),
            ("its spread from event to event", uniform.spread_of_events.text(4)),
            ("its spread within an event", uniform.spread_in_event.text(4)),
        ]
    if score.calibration_error is not None:
        items.append(("calibration error of the probability", f"{100 * score.calibration_error:.2f} %"))
    return items


def confusion_rows(score: VoxelsScore) -> Rows:
    """Return the counts of voxels, a row for each true class."""
    names = [CLASSES[each.label].name for each in score.classes]
    rows = [
        [name, *(f"{count:,}" for count in counts)]
        for name, counts in zip(names, score.confusion, strict=True)
    ]
    return Rows(head=["true class", *(f"found as {name}" for name in names)], rows=rows)


def distance_text(each: DistanceBin) -> str:
    """Return the limits of a bin, as in ``0–2`` or ``200 and more``."""
    if each.high_voxels is None:
        return f"{each.low_voxels:g} and more"
    return f"{each.low_voxels:g}–{each.high_voxels:g}"


def distance_rows(bins: tuple[DistanceBin, ...]) -> Rows:
    """Return a row for each bin of the distance to a track's end."""
    rows = [[distance_text(each), f"{each.n_voxels:,}", percent(each.accuracy)] for each in bins]
    return Rows(head=["distance to the end (voxels)", "HIP and MIP voxels", "accuracy (%)"], rows=rows)


def michel_rows(score: MichelScore, measured_on: str = MEASURED_ON) -> Rows:
    """Return the Michel chain beside the published one; the first column says what is divided by what."""
    slides, journal = MICHELS
    of = {
        "ID purity: matched / candidates": ("id_purity", True),
        "ID efficiency: found / true at a track's end": ("id_efficiency", True),
        "ID efficiency: found / all true clusters": ("id_efficiency_of_all", False),
        "cluster purity: common / predicted voxels": ("cluster_purity", True),
        "cluster efficiency: common / true voxels": ("cluster_efficiency", True),
        "energy: candidate / true cluster": ("energy_ratio", False),
    }
    rows = [["candidates", f"{slides.n_candidates:,}", "–", f"{score.n_candidates:,}"]]
    for what, (name, published) in of.items():
        theirs = [share_text(getattr(each, name)) if published else "–" for each in (slides, journal)]
        rows.append([what, *theirs, percent(getattr(score, name))])
    head = ["Michel electrons (%)", f"{slides.name}, quoted", f"{journal.name}, quoted", measured_on]
    return Rows(head=head, rows=rows)


def michel_count_rows(score: MichelScore) -> Rows:
    """Return the counts behind :func:`michel_rows`."""
    counts = [
        ("predicted Michel clusters", score.n_predicted),
        ("attached to a predicted MIP cluster", score.n_attached),
        ("and at its edge: candidates", score.n_candidates),
        ("candidates matched to a true cluster", score.n_matched),
        ("true Michel clusters", score.n_true),
        ("attached at the edge of a true MIP cluster", score.n_findable),
        ("true clusters found", score.n_found),
        ("found, of those at the edge", score.n_findable_found),
    ]
    return Rows(head=["count", "clusters"], rows=[[name, f"{count:,}"] for name, count in counts])


def _fit_row(name: str, fit: EndPoint | None) -> list[str]:
    if fit is None:
        return [name, "–", "–", "–", "–", "–"]
    resolution = f"{fit.resolution_mev:.1f} ± {fit.resolution_error_mev:.1f}"
    least = least_resolution_mev(fit.radiation)
    if fit.resolution_mev < 1.02 * least:
        resolution = f"{least:g} or less"
    loss = "none" if fit.radiation_error is None else f"{fit.radiation:.2f} ± {fit.radiation_error:.2f}"
    return [
        name,
        f"{fit.n:,}",
        f"{fit.end_point_mev:.1f} ± {fit.error_mev:.1f}",
        resolution,
        loss,
        f"{fit.chi2:.1f} / {fit.n_dof}",
    ]


def end_point_rows(spectrum: MichelSpectrum) -> Rows:
    """Return the fits of the end point, a row for each spectrum."""
    rows = [
        _fit_row("reconstructed, candidates", spectrum.reconstructed_fit),
        _fit_row("deposited, true clusters", spectrum.deposited_fit),
        _fit_row("kinetic, true electrons", spectrum.kinetic_fit),
    ]
    head = ["energy", "in the fit", "end point (MeV)", "resolution (MeV)", "radiated and lost", "chi2 / dof"]
    return Rows(head=head, rows=rows)
