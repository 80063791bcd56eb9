"""Seconds, memory and exactness of the engines for hits, real planes and planes of 1k to 50k hits.

    python benchmarks/hits.py --real ../shared/reference/protodunehd_real_apa1_w.npz
    python benchmarks/hits.py --constants      # what hits_engines/choose.py knows of costs
    python benchmarks/hits.py --quick

The networks are the published one for patches (11,900,420 parameters) and the default one for planes, with
random weights unless bundles are given: time does not depend on them. Every contestant runs in a process of
its own, the first call apart (it makes what is kept: the transformed kernel), then as often as ``--runs``
says; medians. Patch by patch at most ``--patches`` hits are done, drawn at random, the time scaled to all;
differences and changed classes are over those. Memory is the growth of the largest resident size over that
with network and plane loaded; its limit is given to the engine. CPU seconds stand beside those of the clock,
since other work on a machine shows in the latter.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from cloudchamber.infer.hits_bundle import load_hits_bundle
from cloudchamber.infer.hits_engines.choose import MEMORY_MIB, classify, expected_seconds
from cloudchamber.infer.hits_engines.layers import take_apart
from cloudchamber.infer.hits_engines.onnx_patches import OnnxHits, classify_onnx
from cloudchamber.infer.hits_engines.overlap_save import choose_tile
from cloudchamber.infer.hits_engines.places import find_places
from cloudchamber.model.hits_patch import HitsPatch, HitsPatchConfig
from cloudchamber.model.hits_plane import HitsPlane, HitsPlaneConfig
from cloudchamber.prepare.hit_images import HitScale, scale_planes
from cloudchamber.source.wire_choice import WireChoice
from cloudchamber.source.wire_files import open_wire_file

WIRES, DRIFTS = 480, 1000
SIZES = (1000, 2000, 5000, 15_000, 50_000)
PATCHES, RUNS = 4000, 3
ENGINES = ("patches", "onnxruntime", "shared-maps", "overlap-save", "whole-plane", "whole-plane, onnxruntime")


def networks(patch: str | None, plane: str | None) -> dict[str, nn.Module]:
    """Return the network for patches and that for planes."""
    torch.manual_seed(0)
    return {
        "patch": load_hits_bundle(patch).network if patch else HitsPatch(HitsPatchConfig()).eval(),
        "plane": load_hits_bundle(plane).network if plane else HitsPlane(HitsPlaneConfig()).eval(),
    }


def synthetic_plane(hits: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return noise, straight tracks and showers of short ones, and hits where they are: so many."""
    rng = np.random.default_rng(seed)
    plane = rng.normal(0, 0.5, (WIRES, DRIFTS)).astype(np.float32)
    lit = np.zeros(plane.shape, bool)
    while lit.sum() < hits:
        start, angle = rng.random(2) * (WIRES, DRIFTS), rng.uniform(0, 2 * np.pi)
        length = rng.choice([400, 30])
        along = np.arange(0, length, 0.4)[:, None] * (np.cos(angle), np.sin(angle))
        place = np.floor(start + along).astype(int)
        place = place[((place >= 0) & (place < plane.shape)).all(axis=1)]
        lit[place[:, 0], place[:, 1]] = True
        plane[place[:, 0], place[:, 1]] += rng.gamma(4, 2, len(place))
    wire, drift = np.nonzero(lit)
    kept = np.sort(rng.permutation(len(wire))[:hits])
    return plane.clip(-10, 30), wire[kept], drift[kept]


def real_plane(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the fuller face of a real readout, scaled, and its pixels that are not zero."""
    event = open_wire_file(path, WireChoice(rebin=6) if path.suffix == ".npz" else None)
    plane = scale_planes(event, HitScale())[0, 0]
    faces = [plane[start : start + WIRES] for start in range(0, len(plane), WIRES)]
    fullest = max(faces, key=np.count_nonzero)
    return (fullest, *np.nonzero(fullest))


def resident_mib(kind: str) -> float:
    """Return the resident size of this process (VmRSS), or its peak (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{kind}:")).split()[1]) / 1024


def run_one(options: argparse.Namespace) -> None:
    """Measure one contestant in this process and print what was found as JSON."""
    given = np.load(options.one)
    plane, wire, drift = given["plane"], given["wire"], given["drift"]
    torch.set_num_threads(options.threads)
    onnx = "onnxruntime" in options.engine
    of_plane = "plane" in options.engine
    if onnx:
        model = OnnxHits(options.one.with_name("plane.onnx" if of_plane else "patch.onnx"), options.threads)
    else:
        network = networks(options.patch, options.plane)["plane" if of_plane else "patch"]

    def once() -> np.ndarray:
        if onnx:
            return classify_onnx(model, plane, wire, drift, memory_mib=options.memory)
        return classify(
            network, plane, wire, drift, engine=options.engine, threads=options.threads,
            memory_mib=options.memory,
        )  # fmt: skip

    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = resident_mib("VmRSS")
    start = time.perf_counter()
    scores = once()
    first = time.perf_counter() - start
    wall, cpu = [], []
    for _ in range(options.runs):
        start, used = time.perf_counter(), time.process_time()
        once()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    np.save(options.one.with_name("scores.npy"), scores)
    grown = resident_mib("VmHWM") - before
    print(json.dumps({
        "first": first, "wall": statistics.median(wall), "cpu": statistics.median(cpu), "memory": grown
    }))  # fmt: skip


def measure(
    folder: Path, options: argparse.Namespace, plane: tuple[np.ndarray, ...], engine: str, threads: int
) -> tuple[dict[str, float], np.ndarray]:
    """Run one contestant in a process of its own."""
    np.savez(folder / "plane.npz", plane=plane[0], wire=plane[1], drift=plane[2])
    command = [sys.executable, __file__, "--one", str(folder / "plane.npz"), "--engine", engine]
    command += ["--threads", str(threads), "--runs", str(options.runs), "--memory", str(options.memory)]
    for name in ("patch", "plane"):
        value = getattr(options, name)
        command += [f"--{name}", value] if value else []
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found, np.load(folder / "scores.npy")


def compare(
    console: Console, folder: Path, options: argparse.Namespace, title: str, plane: tuple[np.ndarray, ...]
) -> None:
    rng = np.random.default_rng(1)
    hits = len(plane[1])
    some = np.sort(rng.permutation(hits)[: options.patches])
    table = Table(title=f"{title}: {plane[0].shape[0]} x {plane[0].shape[1]} pixels, {hits:,} hits")
    for head in ("engine", "threads", "first s", "s a plane", "CPU s", "s per 10k hits", "MiB",
                 "against torch", "against ONNX", "largest difference", "changed classes"):  # fmt: skip
        table.add_column(head, justify="right")
    for threads in options.with_threads:
        wanted, base = np.empty(0), dict[str, float]()
        for engine in ENGINES:
            by_patch = engine in ("patches", "onnxruntime")
            given = (plane[0], plane[1][some], plane[2][some]) if by_patch else plane
            found, scores = measure(folder, options, given, engine, threads)
            factor = hits / len(some) if by_patch else 1.0
            wall, cpu = factor * found["wall"], factor * found["cpu"]
            base[engine] = cpu if threads == 1 else wall
            scores = scores if by_patch else scores[some]
            if engine == "patches":
                wanted = scores
            exact = ["–", "–"]
            if "plane" not in engine:
                changed = (scores[:, :3].argmax(axis=1) != wanted[:, :3].argmax(axis=1)).sum()
                exact = [f"{np.abs(scores - wanted).max():.1e}", f"{changed} of {len(some):,}"]
            gains = [
                f"{base[other] / base[engine]:.1f}x" if other in base else "–"
                for other in ("patches", "onnxruntime")
            ]
            table.add_row(
                engine, str(threads), f"{found['first']:.2f}", f"{wall:.2f}", f"{cpu:.2f}",
                f"{1e4 * cpu / hits:.2f}", f"{found['memory']:.0f}", *gains, *exact,
            )  # fmt: skip
        table.add_section()
    console.print(table)


def event(console: Console, options: argparse.Namespace, plane: tuple[np.ndarray, ...]) -> None:
    """Time a readout of six APAs: six planes like this one; the faces to the wall are nearly empty."""
    for name, network in networks(options.patch, options.plane).items():
        for threads in options.with_threads:
            start, used = time.perf_counter(), time.process_time()
            for _ in range(6):
                classify(network, *plane, threads=threads, memory_mib=options.memory)
            wall, cpu = time.perf_counter() - start, time.process_time() - used
            console.print(
                f"six planes of {len(plane[1]):,} hits, network for a {name}, {threads} threads, "
                f"from nothing: {wall:.1f} s ({cpu:.1f} CPU s)"
            )


def constants(console: Console, options: argparse.Namespace) -> None:
    """Print the costs that the choice of an engine rests on, in CPU seconds of one thread."""
    network = networks(options.patch, options.plane)["patch"]
    if not isinstance(network, HitsPatch):
        raise SystemExit("a network for patches")
    layers = take_apart(network)
    tile = choose_tile(layers, options.memory)
    if tile is None:
        raise SystemExit("more memory")
    plane, wire, drift = synthetic_plane(20_000)
    rng = np.random.default_rng(2)

    def seconds(engine: str, chosen: np.ndarray) -> float:
        found = []
        for _ in range(options.runs):
            used = time.process_time()
            classify(network, plane, wire[chosen], drift[chosen], engine=engine, memory_mib=options.memory)
            found.append(time.process_time() - used)
        return statistics.median(found)

    few, many = np.sort(rng.permutation(len(wire))[:200]), np.sort(rng.permutation(len(wire))[:2000])
    everything, one = np.arange(len(wire)), np.array([0])
    used = time.process_time()
    classify(network, plane, wire[one], drift[one], engine="overlap-save", memory_mib=options.memory)
    spectrum = time.process_time() - used
    cells = tile.wires * tile.drifts
    shared = seconds("shared-maps", few), seconds("shared-maps", many)
    pixel = (shared[1] - shared[0]) / 1800
    saved = seconds("overlap-save", many), seconds("overlap-save", everything)
    last = max(0.0, (saved[1] - saved[0]) / (len(wire) - 2000))
    tiles = -(-WIRES // (tile.wires - layers.inner + 1)) * -(-DRIFTS // (tile.drifts - layers.inner + 1))
    console.print(f"PATCH = {seconds('patches', many) / 2000:.1e}")
    console.print(f"SHARED_PIXEL, SHARED_MAP = {pixel:.1e}, {(shared[0] - 200 * pixel) / plane.size:.1e}")
    console.print(f"TILE_CELL, TILE_PIXEL = {(saved[0] - 2000 * last) / tiles / cells:.1e}, {last:.1e}")
    console.print(f"SPECTRUM_CELL = {spectrum / cells:.1e}   (tile {tile.wires} x {tile.drifts})")
    for hits in (100, 200, 500, 1000, 2000, 3000, 5000, 20_000):
        chosen = np.sort(rng.permutation(len(wire))[:hits])
        costs = expected_seconds(layers, find_places(plane.shape, wire[chosen], drift[chosen]), tile)
        console.print(f"{hits:6,} hits: " + ", ".join(f"{name} {cost:.2f} s" for name, cost in costs.items()))


def export_networks(folder: Path, options: argparse.Namespace) -> None:
    from cloudchamber.infer.export import write_onnx
    from cloudchamber.infer.export_graphs import hits_exportable
    from cloudchamber.infer.hits_bundle import HitsBundle, HitsBundleConfig

    for name, network in networks(options.patch, options.plane).items():
        config = HitsBundleConfig(
            name=name,
            network=f"hits-{name}",
            options={},
            scale=HitScale(),
            pitch_mm=4.79,
            drift_mm=4.8,
            n_train=0,
        )
        model = hits_exportable(HitsBundle(config, network, ""))
        model.about.update(task="hits")
        write_onnx(model, folder / f"{name}.onnx")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--real", type=Path, help="a real readout: frames as .npz, or any other file of wires"
    )
    parser.add_argument("--patch", help="a bundle for patches")
    parser.add_argument("--plane", help="a bundle for planes")
    parser.add_argument("--patches", type=int, default=PATCHES, help="most hits that are done patch by patch")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--memory", type=float, default=MEMORY_MIB, help="MiB that an engine may ask for")
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--with-threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--constants", action="store_true")
    parser.add_argument(
        "--quick", action="store_true", help="one thread, one run, 15,000 hits, 1,000 patches"
    )
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    console = Console(width=160)
    if options.one is not None:
        run_one(options)
        return
    if options.quick:
        options.with_threads, options.runs, options.sizes, options.patches = [1], 1, [15_000], 1000
    if options.constants:
        torch.set_num_threads(1)
        constants(console, options)
        return
    planes = [(f"synthetic tracks, {hits:,}", synthetic_plane(hits)) for hits in options.sizes]
    if options.real is not None:
        planes.insert(0, (options.real.name, real_plane(options.real)))
    with tempfile.TemporaryDirectory() as folder:
        export_networks(Path(folder), options)
        for title, plane in planes:
            compare(console, Path(folder), options, title, plane)
    event(console, options, planes[0][1])


if __name__ == "__main__":
    main()
