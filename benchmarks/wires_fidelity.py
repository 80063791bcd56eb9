"""How close simulated wire signals come to the constants of ProtoDUNE-SP, and to a plane of real data.

Prints constants found again in noisy simulated signals, beside what was put in or is published, with
statistical errors. Of muons: charge on a wire at least ionisation, where they lose least (266 MeV), and at 1
GeV; means include all that they knock on. With a plane of deconvolved real data (an npz with ``frame``,
wires by ticks, electrons per tick, nought outside regions with a signal), occupancy and charge beside those
of simulated readouts without beam, treated alike, and plots.

    python benchmarks/wires_fidelity.py --plane plane.npz -o plots
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from cloudchamber.show.theme import png_bytes
from cloudchamber.simulate.wires import statistics as of
from cloudchamber.simulate.wires.config import Geometry, WiresConfig
from cloudchamber.simulate.wires.event import simulate_wires
from cloudchamber.simulate.wires.noise import pixel_noise
from cloudchamber.simulate.wires.response import pulse_shape

MIP_ELECTRONS, MIP_ADC_TICKS, MIP_PEAK_ADC, NOISE_ADC = 29e3, 1200.0, 200.0, 3.8
WARM_UP_MEV = 30.0  # lost by a muon before the wires looked at, on average half way through them
CUTS = (500.0, 2000.0)  # electrons per tick
SPECTRUM = np.geomspace(200.0, 1e5, 46)


def report_constants(readouts: int, muons: int, seed: int, console: Console) -> None:
    config = WiresConfig()
    points = of.calibrate(config, readouts, seed)
    table = Table(title=f"{len(points.total)} point charges, {muons} muons; errors are statistical")
    for name in ("", "found", "error", "expected", "off", "bar"):
        table.add_column(name, justify="left" if not name else "right")

    def add(name: str, found: of.Value, expected: float, bar: float | None, digits: int = 3) -> None:
        off = found.value / expected - 1
        limit = "-" if bar is None else f"{bar:.0%}"
        error = f"{found.error:.{digits}f}"
        table.add_row(name, f"{found.value:.{digits}f}", error, f"{expected:g}", f"{off:+.1%}", limit)

    drift = config.drift
    add("drift velocity (mm/us)", of.drift_velocity(points, config), drift.velocity_mm_us, 0.03, 5)
    along, across = of.longitudinal_diffusion(points, config), of.transverse_diffusion(points, config)
    add("diffusion along (cm2/s)", along, drift.longitudinal_cm2_s, 0.03)
    add("diffusion across (cm2/s)", across, drift.transverse_cm2_s, 0.03)
    add("electron lifetime (ms)", of.electron_lifetime(points), drift.lifetime_ms, None, 1)
    rms = of.noise_rms(config, seed)
    add("noise of a wire, RMS (ADC)", of.mean_of(rms), NOISE_ADC, 0.02)
    error = float(rms.std() / np.sqrt(2 * len(rms)))
    add("its spread over wires (ADC)", of.Value(float(rms.std()), error), config.noise.spread_adc, None)
    least = of.muon_charge(config, of.MINIMUM_IONISING_MEV + WARM_UP_MEV, muons, seed)
    lost = np.exp(-np.linspace(0, 1, 101) * _longest_us(config) / (1e3 * drift.lifetime_ms)).mean()
    add("charge of a muon on a wire, least ionisation (ke)", _kilo(least), MIP_ELECTRONS / 1e3, 0.05)
    add("the same at the wires, mean over the drift (ke)", _kilo(least * lost), MIP_ELECTRONS / 1e3, 0.05)
    adc = of.Value(*(each / config.electronics.electrons_per_adc_tick for each in of.mean_of(least.ravel())))
    add("the same (ADC x tick)", adc, MIP_ADC_TICKS, None, 0)
    high = of.muon_charge(config, 1000.0, muons, seed + 1)
    add("charge of a muon of 1 GeV on a wire (ke)", _kilo(high), MIP_ELECTRONS / 1e3, None)
    console.print(table)
    peak = MIP_ELECTRONS * pulse_shape(config.electronics, 4096).max()
    console.print(
        f"median charge on a wire: {np.median(least) / 1e3:.1f} ke at least ionisation, "
        f"{np.median(high) / 1e3:.1f} ke at 1 GeV; peak of {MIP_ELECTRONS:g} electrons "
        f"{peak:.0f} ADC (at most {MIP_PEAK_ADC:g}); peak times off by "
        f"{np.mean(points.peak_tick - _expected(points, config)):+.3f} ticks"
    )
    console.print(f"noise of a pixel of {config.rebin} ticks: {pixel_noise(config):.2f} ADC")


def _longest_us(config: WiresConfig) -> float:
    return config.geometry.drift_mm / config.drift.velocity_mm_us


def _kilo(charge: np.ndarray) -> of.Value:
    mean = of.mean_of(charge.ravel())
    return of.Value(mean.value / 1e3, mean.error / 1e3)


def _expected(points: of.Calibration, config: WiresConfig) -> np.ndarray:
    return 500.0 + points.distance_mm / config.drift.velocity_mm_us / config.electronics.tick_us


def report_plane(path: Path, readouts: int, seed: int, console: Console) -> dict[str, Figure]:
    wires = Geometry().face_wires
    with np.load(path, allow_pickle=False) as arrays:
        frame = np.asarray(arrays["frame"], np.float32)
    faces = [frame[start : start + wires] for start in range(0, len(frame), wires)]
    real = max(faces, key=lambda face: float(face.sum(dtype=np.float64)))
    config = WiresConfig(signal="electrons", rebin=1)
    config = config.model_copy(
        update={
            "beam": config.beam.model_copy(update={"count": 0}),
            "halo": config.halo.model_copy(update={"count": (0, 0)}),
            "deconvolution": config.deconvolution.model_copy(update={"regions": True}),
        }
    )
    ours = []
    for index in range(readouts):
        signal = simulate_wires(seed, index, config).signal()[0]
        ours += [signal[start : start + wires] for start in range(0, len(signal), wires)]
    low, high = config.cosmics.count
    table = Table(
        title=f"the lit face of the real plane; {len(ours)} simulated faces, {low} to {high} muons an event"
    )
    for name in ("", "real", "ours, mean", "spread of faces", "real in spreads"):
        table.add_column(name, justify="left" if not name else "right")
    figures = {
        f"ticks above {cut:g} electrons (%)": [100 * (face > cut).mean() for face in ours] for cut in CUTS
    }
    figures["charge (10^8 electrons)"] = [face.sum(dtype=np.float64) / 1e8 for face in ours]
    wanted = [100 * (real > cut).mean() for cut in CUTS] + [real.sum(dtype=np.float64) / 1e8]
    for (name, values), there in zip(figures.items(), wanted, strict=True):
        mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
        table.add_row(name, f"{there:.3f}", f"{mean:.3f}", f"{spread:.3f}", f"{(there - mean) / spread:+.1f}")
    console.print(table)
    return {"wires_spectrum": plot_spectra(real, ours, path.stem), "wires_occupancy": plot_wires(real, ours)}


def plot_spectra(real: np.ndarray, ours: list[np.ndarray], name: str) -> Figure:
    """Draw the charge in a tick of the real face over those of simulated ones, per face."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    spectra = np.array([np.histogram(face, SPECTRUM)[0] for face in ours])
    low, middle, high = np.quantile(spectra, [0.16, 0.5, 0.84], axis=0)
    axes.stairs(high, SPECTRUM, baseline=low, fill=True, alpha=0.3, label="simulated, 68% of faces")
    axes.stairs(middle, SPECTRUM, label="simulated, median")
    axes.stairs(np.histogram(real, SPECTRUM)[0], SPECTRUM, color="black", label=name)
    axes.set(
        xscale="log", yscale="log", xlabel="electrons in a tick", ylabel="ticks of a face (480 wires) per bin"
    )
    axes.legend()
    return figure


def plot_wires(real: np.ndarray, ours: list[np.ndarray]) -> Figure:
    """Draw the distribution of the share of lit ticks of a wire."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    edges = np.linspace(0, 0.1, 26)
    shares = np.array([np.histogram((face > CUTS[0]).mean(axis=1), edges)[0] for face in ours])
    axes.stairs(shares.mean(axis=0), edges, label="simulated, mean of faces")
    axes.stairs(np.histogram((real > CUTS[0]).mean(axis=1), edges)[0], edges, color="black", label="real")
    axes.set(xlabel=f"share of a wire's ticks above {CUTS[0]:g} electrons", ylabel="wires of a face per bin")
    axes.legend()
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--plane", type=Path, help="a plane of deconvolved real data (npz)")
    parser.add_argument("--readouts", type=int, default=12, help="simulated for --plane, three faces each")
    parser.add_argument("--points", type=int, default=24, help="readouts with point charges")
    parser.add_argument("--muons", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, help="folder for plots")
    chosen = parser.parse_args()
    console = Console(width=130)
    report_constants(chosen.points, chosen.muons, chosen.seed, console)
    if chosen.plane:
        plots = report_plane(chosen.plane, chosen.readouts, chosen.seed, console)
        if chosen.output:
            chosen.output.mkdir(parents=True, exist_ok=True)
            for name, figure in plots.items():
                (chosen.output / f"{name}.png").write_bytes(png_bytes(figure))
            console.print(f"{len(plots)} plots in {chosen.output}")


if __name__ == "__main__":
    main()
