"""What predictions for wire readouts hold, for ``cloudchamber check`` and ``cloudchamber info``."""

from pathlib import Path
from typing import Any


def _describe_hits(path: Path) -> dict[str, Any]:
    import numpy as np

    from cloudchamber.source.hit_predictions import OUTPUTS, read_hit_predictions

    found, attributes = read_hit_predictions(path)
    hits = np.diff(found.hit_offsets)
    likeliest = np.bincount(found.scores[:, :3].argmax(axis=1), minlength=3) / max(1, len(found.scores))
    michel = float(np.count_nonzero(found.scores[:, 3] > 0.5)) / max(1, len(found.scores))
    return {
        "path": str(path), "holds": "scores of hits", "events": len(found), "hits": int(hits.sum()),
        "hits per event, least and most": [int(hits.min()), int(hits.max())],
        "likeliest, share of hits": {
            name: round(float(share), 5) for name, share in zip(OUTPUTS[:3], likeliest, strict=True)
        },
        "Michel above a half, share of hits": round(michel, 5),
        "attributes": dict(attributes),
    }  # fmt: skip


def _describe_pixels(path: Path) -> dict[str, Any]:
    import numpy as np

    from cloudchamber.source.hdf5 import find_dataset, open_hdf5
    from cloudchamber.source.wire_predictions import (
        LABEL,
        NOT_PREDICTED,
        WIRE_LABELS,
        read_wire_predictions,
    )

    with open_hdf5(path) as file:
        n = len(find_dataset(file, path, LABEL, "iub", axes="(event, wire, drift)"))
    counts = np.zeros(256, np.int64)
    for event in range(n):
        found, attributes = read_wire_predictions(path, start=event, stop=event + 1)
        counts += np.bincount(found.label.ravel(), minlength=256)
    classes, total = WIRE_LABELS[found.task], max(1, counts.sum())
    named = {**{each.name: counts[each] for each in classes}, "not predicted": counts[NOT_PREDICTED]}
    return {
        "path": str(path), "holds": "classes of pixels", "events": n,
        "wires, drift bins": list(found.label.shape[1:]),
        "classes, share of pixels": {name: round(float(each / total), 6) for name, each in named.items()},
        "beside them": [name for name in ("probability", "michel") if getattr(found, name) is not None],
        "attributes": dict(attributes),
    }  # fmt: skip


def describe_wire_predictions(path: Path) -> dict[str, Any]:
    """Read the whole of a file with scores of hits or classes of pixels and return what it is like.

    Raises
    ------
    InputError
        that names the first fault: table, event, hit or pixel.
    """
    from cloudchamber.source.hit_predictions import holds_hit_predictions

    return _describe_hits(path) if holds_hit_predictions(path) else _describe_pixels(path)


def check_wire_predictions(path: Path) -> str:
    """Read the whole of a file with scores of hits or classes of pixels and say what was found good.

    Raises
    ------
    InputError
        that names the first fault: table, event, hit or pixel.
    """
    from cloudchamber.source.check import check_sums

    found = describe_wire_predictions(path)
    if "hits" in found:
        what, checks = f"{found['hits']:,} scores of hits", ["hit_scores: within [0, 1]"]
    else:
        wires, drifts = found["wires, drift bins"]
        what = f"classes of {wires} wires x {drifts} drift bins"
        checks = ["label: classes of the task", *(f"{name}: there" for name in found["beside them"])]
    sums = check_sums(path)
    recorded = f"as recorded ({', '.join(sums)})" if sums else "none recorded"
    checks.append(f"SHA-256: {recorded}")
    return f"{path}: good. {found['events']} events, {what}. {'; '.join(checks)}"


def print_wire_predictions_info(path: Path, json: bool) -> None:
    """Print what predictions for wire readouts are like, as a table or as JSON."""
    from cloudchamber.cli.info_wires import print_found

    print_found(path, describe_wire_predictions(path), json)
