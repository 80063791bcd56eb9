"""``cloudchamber convert point-id|image2d|frames|to-point-id``: wire planes of others to ours and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from cloudchamber.source.wire_choice import WireChoice
    from cloudchamber.source.wire_files import WireKind

Output = Annotated[Path, Parameter(name=["-o", "--output"])]
SignalUnit = Literal["adc", "electrons", "unknown"]


def _write(
    source: Path, output: Path, kinds: "tuple[WireKind, ...]", choice: "WireChoice", overwrite: bool
) -> None:
    """Write readouts as a data set of ours and say what is in it."""
    from cloudchamber.errors import InputError
    from cloudchamber.progress import progress
    from cloudchamber.source.wire_files import count_wire_file, iterate_wire_file, wire_kind
    from cloudchamber.source.wires import write_wire_events
    from cloudchamber.source.writer import check_target
    from cloudchamber.wire_events import WireEvents

    check_target(output, overwrite)
    n = count_wire_file(source, choice)
    kind = wire_kind(source)
    if kind not in kinds:
        raise InputError(source, "", f"a file of {' or '.join(kinds)}", f"one of {kind}")
    shapes: set[tuple[int, int]] = set()

    def counted(event: WireEvents) -> WireEvents:
        shapes.add((event.wires, event.drifts))
        advance(1)
        return event

    with progress("converting", n, "events", plain=False) as advance:
        events = map(counted, iterate_wire_file(source, choice))
        write_wire_events(output, n, events, {"source": f"converted from {source.name}"})
    wires, drifts = shapes.pop()
    print(f"{output}: {n} events of {wires} wires x {drifts} drift bins")


def point_id(
    source: Path,
    *,
    output: Output,
    plane: str | None = None,
    tpc: int | None = None,
    rebin: int = 6,
    pitch_mm: float | None = None,
    tick_us: float | None = None,
    unit: SignalUnit | None = None,
    overwrite: bool = False,
) -> None:
    """Turn the ROOT histograms of LArSoft's PointIdTrainingData into a data set of ours.

    Parameters
    ----------
    source
        ROOT file with histograms raw_event_E_run_R_subrun_S_tpc_T_view_V_raw, and _deposit and _pdg.
    output
        The HDF5 file to write.
    plane
        Number of the view, or U, V, W; by default the highest there is, the collection plane.
    tpc
        Number of the TPC; by default each TPC of an event becomes an event.
    rebin
        Ticks of a drift bin, which the file does not say.
    pitch_mm
        Distance between wires, 4.79 mm unless said.
    tick_us
        Length of a tick, 0.5 us unless said.
    unit
        Of the signal, ADC unless said.
    overwrite
        Replace the file if it exists.
    """
    from cloudchamber.source.wire_choice import WireChoice

    choice = WireChoice(plane=plane, tpc=tpc, rebin=rebin, pitch_mm=pitch_mm, tick_us=tick_us, unit=unit)
    _write(source, output, ("histograms",), choice, overwrite)


def image2d(
    source: Path,
    *,
    output: Output,
    plane: str | None = None,
    producer: str | None = None,
    pitch_mm: float | None = None,
    tick_us: float | None = None,
    unit: SignalUnit | None = None,
    overwrite: bool = False,
) -> None:
    """Turn an image2d tree of larcv2 into a data set of ours; neither ROOT nor larcv is needed.

    Parameters
    ----------
    source
        ROOT file with an image2d tree.
    output
        The HDF5 file to write.
    plane
        Number of the plane, or U, V, W; by default the highest there is.
    producer
        Producer of the tree; by default data, or the only one.
    pitch_mm
        Distance between wires, where images are in wires and ticks.
    tick_us
        Length of a tick, where images are in wires and ticks.
    unit
        Of the signal, which the file does not say.
    overwrite
        Replace the file if it exists.
    """
    from cloudchamber.source.wire_choice import WireChoice

    choice = WireChoice(plane=plane, producer=producer, pitch_mm=pitch_mm, tick_us=tick_us, unit=unit)
    _write(source, output, ("image2d",), choice, overwrite)


def frames(
    source: Path,
    *,
    output: Output,
    plane: str | None = None,
    rebin: int | None = None,
    unit: SignalUnit | None = None,
    overwrite: bool = False,
) -> None:
    """Turn frames of wires, an .npz or DUNE's labelled HDF5, into a data set of ours.

    Parameters
    ----------
    source
        .npz with frame (wire, tick), or HDF5 with frame_rebinned_reco and frame_label_1st of each event.
    output
        The HDF5 file to write.
    plane
        Of labelled frames: U, V or W, which is taken unless said.
    rebin
        Of an .npz: how many ticks to put together by their mean; none unless said.
    unit
        Of the signal; of an .npz electrons unless said.
    overwrite
        Replace the file if it exists.
    """
    from cloudchamber.source.wire_choice import WireChoice

    choice = WireChoice(plane=plane, rebin=rebin, unit=unit)
    _write(source, output, ("labelled frames", "frames"), choice, overwrite)


def to_point_id(
    source: Path, *, output: Output, tpc: int = 0, view: int = 2, overwrite: bool = False
) -> None:
    """Write a data set of ours as the ROOT histograms that LArSoft's PointIdTrainingData makes.

    Parameters
    ----------
    source
        Data set of wire readouts.
    output
        The ROOT file to write.
    tpc
        Number of the TPC in the histograms' names.
    view
        Number of the plane in the histograms' names.
    overwrite
        Replace the file if it exists.
    """
    from cloudchamber.source.point_id_write import write_point_id
    from cloudchamber.source.wire_files import iterate_wire_file

    n = write_point_id(output, iterate_wire_file(source), tpc=tpc, view=view, overwrite=overwrite)
    print(f"{output}: {n} events")
