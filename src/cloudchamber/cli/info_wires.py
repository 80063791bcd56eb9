"""What a file of wire readouts holds, for ``cloudchamber check`` and ``cloudchamber info``."""

from pathlib import Path
from typing import Any


def check_wires(path: Path) -> str:
    """Read the whole of a file of wire readouts and say what was found good.

    Raises
    ------
    InputError
        that names the first fault: image or table, event, wire, drift bin.
    """
    from cloudchamber.source.check import check_sums
    from cloudchamber.source.wire_files import iterate_wire_file, wire_kind
    from cloudchamber.wire_events import PLANES

    n, hits, shape, there = 0, 0, (0, 0), set[str]()
    for block in iterate_wire_file(path):
        n, shape = n + len(block), (block.wires, block.drifts)
        hits += 0 if block.hits is None else len(block.hits)
        there |= {name for name in (*PLANES, "particles", "hits") if getattr(block, name) is not None}
    checks = ["code: finite"]
    for name, result in (
        ("beam", "0 to 2"), ("activity", "0 to 2"), ("michel", "0 and 1"), ("vertex", "sums of flags"),
        ("particle", "one of the event, or none"), ("hits", f"{hits:,}, in the image"),
    ):  # fmt: skip
        checks.append(f"{name}: {result if name in there else 'absent'}")
    sums = check_sums(path) if wire_kind(path) == "ours" else ()
    recorded = f"as recorded ({', '.join(sums)})" if sums else "none recorded"
    checks.append(f"SHA-256: {recorded}")
    return f"{path}: good. {n} readouts of {shape[0]} wires x {shape[1]} drift bins. {'; '.join(checks)}"


def describe_wires(path: Path) -> dict[str, Any]:
    """Return what a data set of wire readouts is like: numbers, noise, shares of the classes, its origin.

    Raises
    ------
    InputError
        that names the first fault found in it.
    """
    import numpy as np

    from cloudchamber.labels import Activity, BeamLabel, Origin, VertexFlag
    from cloudchamber.source.check import check_sums
    from cloudchamber.source.ragged import FileAttributes
    from cloudchamber.source.wire_files import iterate_wire_file, open_wire_file, wire_kind
    from cloudchamber.source.wires import read_wire_events

    kind = wire_kind(path)
    attributes: FileAttributes = {"format": str(kind)}
    if kind == "ours":
        first, attributes = read_wire_events(path, stop=1)
    else:
        first = open_wire_file(path, stop=1)
    labels = {"beam": BeamLabel, "activity": Activity}
    counts = {name: np.zeros(len(each), np.int64) for name, each in labels.items()}
    flags = {flag.name: 0 for flag in VertexFlag}
    origins = np.zeros(len(Origin), np.int64)
    n = michel = hits = particles = 0
    noise = list[float]()
    for block in iterate_wire_file(path):
        n += len(block)
        for event in block:
            signal = event.signal()[0]
            noise.append(float(np.median(np.abs(signal - np.median(signal)))) / 0.6745)
        for name in labels:
            values = getattr(block, name)
            if values is not None:
                counts[name] += np.bincount(values.ravel(), minlength=len(counts[name]))
        michel += 0 if block.michel is None else int(block.michel.sum())
        if block.vertex is not None:
            lit = block.vertex[block.vertex > 0]
            for flag in VertexFlag:
                flags[flag.name] += int((lit & flag.value > 0).sum())
        hits += 0 if block.hits is None else len(block.hits)
        if block.particles is not None:
            particles += len(block.particles)
            primary = block.particles["origin"][block.particles["parent"] < 0]
            origins += np.bincount(primary, minlength=len(origins))
    readout = first.readout
    scale = f"step {readout.step:g}, zero {readout.zero:g}"
    found: dict[str, Any] = {
        "path": str(path),
        "readouts": n,
        "wires, drift bins": [first.wires, first.drifts],
        "pixel (wire, drift, mm)": [round(readout.pitch_mm, 4), round(readout.drift_mm, 4)],
        "ticks of a pixel": readout.rebin,
        "signal": f"{first.code.dtype}, {readout.unit} per tick, {scale}",
        "noise per pixel (median deviation / 0.6745)": round(float(np.median(noise)), 3),
        "hits per readout, mean": round(hits / n, 1) if first.hits is not None else "not in the file",
    }
    for name, each in labels.items():
        if getattr(first, name) is not None:
            shares = counts[name] / max(1, counts[name].sum())
            found[f"{name}, share of pixels"] = {label.name: round(float(shares[label]), 6) for label in each}
    if first.michel is not None:
        found["Michel pixels per readout, mean"] = round(michel / n, 2)
    if first.vertex is not None:
        found["vertex pixels per readout, mean"] = {
            name: round(count / n, 2) for name, count in flags.items() if count
        }
    if first.particles is not None:
        found["particles per readout, mean"] = round(particles / n, 1)
        found["primaries per readout, mean"] = {
            origin.name: round(float(origins[origin] / n), 2) for origin in Origin if origins[origin]
        }
    return {**found, "SHA-256": check_sums(path) if kind == "ours" else {}, "attributes": dict(attributes)}


def print_wires_info(path: Path, json: bool) -> None:
    """Print what a data set of wire readouts is like, as a table or as JSON."""
    print_found(path, describe_wires(path), json)


def print_found(path: Path, found: dict[str, Any], json: bool) -> None:
    """Print what was found in a file, as a table or as JSON."""
    if json:
        from json import dumps

        print(dumps(found, indent=2))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=str(path), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in found.items():
        text = ", ".join(f"{key} {item}" for key, item in value.items()) if isinstance(value, dict) else value
        table.add_row(name, escape(str(text)))
    Console(soft_wrap=False).print(table)
