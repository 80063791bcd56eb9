"""Writing wire planes as the ROOT histograms of LArSoft's PointIdTrainingData."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import uproot
from jaxtyping import Shaped

from cloudchamber.errors import InputError
from cloudchamber.files import whole
from cloudchamber.labels import Activity
from cloudchamber.source.point_id_flags import Truth, number_of
from cloudchamber.source.writer import check_target
from cloudchamber.wire_events import WireEvents

FOLDER = "datadump"
NOMINAL_GEV = 1e-3  # about what a minimum ionising particle leaves over 4.79 mm


def _histogram(values: Shaped[np.ndarray, "wire drift"], title: str, wire: int, drift: int) -> object:
    """Return a TH2F, or of whole numbers a TH2I, with one bin for each wire and each drift bin."""
    wires, drifts = values.shape
    bins = np.zeros((drifts + 2, wires + 2), ">i4" if values.dtype.kind in "iu" else ">f4")
    bins[1:-1, 1:-1] = values.T  # with one bin more on each side, for what falls beyond
    identify = uproot.writing.identify
    axes = [
        identify.to_TAxis(fName=f"{name}axis", fTitle="", fNbins=n, fXmin=float(low), fXmax=float(low + n))
        for name, n, low in (("x", wires, wire), ("y", drifts, drift))
    ]
    total = float(values.sum(dtype=np.float64))
    return identify.to_TH2x(
        fName=None, fTitle=title, data=bins.ravel(), fEntries=float(values.size), fTsumw=total,
        fTsumw2=float((values.astype(np.float64) ** 2).sum()), fTsumwx=0.0, fTsumwx2=0.0, fTsumwy=0.0,
        fTsumwy2=0.0, fTsumwxy=0.0, fSumw2=np.zeros(0, ">f8"), fXaxis=axes[0], fYaxis=axes[1],
    )  # fmt: skip


def _pdg(event: WireEvents) -> Shaped[np.ndarray, "wire drift"] | None:
    if event.particle is None or event.particles is None:
        return None
    row = event.particle[0]
    return np.where(row >= 0, np.append(event.particles["pdg"], 0)[row], 0)


def write_point_id(
    path: Path,
    events: WireEvents | Iterable[WireEvents],
    *,
    tpc: int = 0,
    view: int = 2,
    run: int = 1,
    overwrite: bool = False,
) -> int:
    """Write events, or blocks of them, as histograms ``datadump/raw_event_E_run_R_subrun_0_tpc_T_view_V_*``.

    ``_raw`` (TH2F) is the signal; where there is activity, ``_pdg`` (TH2I) gets particle, Michel electrons
    and vertices as LArSoft encodes them, and ``_deposit`` (TH2F) 1 MeV in every pixel with activity: our
    images do not hold the deposited energy, and readers only ask whether there was any. Axis x counts
    wires, y drift bins; events count from 1.

    Returns
    -------
    The number of events.

    Raises
    ------
    InputError
        if there are no events, or the path cannot be written.
    """
    check_target(path, overwrite)
    done = 0
    with whole(path) as temporary:
        with uproot.recreate(temporary) as file:
            for block in [events] if isinstance(events, WireEvents) else events:
                for event in block:
                    done += 1
                    name = f"{FOLDER}/raw_event_{done}_run_{run}_subrun_0_tpc_{tpc}_view_{view}"
                    file[f"{name}_raw"] = _histogram(event.signal()[0], "ADC", 0, 0)
                    if event.activity is None:
                        continue
                    activity = event.activity[0]
                    none = np.zeros_like(activity)
                    truth = Truth(
                        activity,
                        none if event.michel is None else event.michel[0],
                        none if event.vertex is None else event.vertex[0],
                    )
                    deposit = np.where(activity != Activity.NONE, NOMINAL_GEV, 0.0)
                    file[f"{name}_deposit"] = _histogram(deposit, "Deposit", 0, 0)
                    file[f"{name}_pdg"] = _histogram(number_of(truth, _pdg(event)), "PDG", 0, 0)
        if done == 0:
            raise InputError(path, "", "events to write", "none")
    return done
