"""``cloudchamber check``: check that a file is whole and its numbers make sense."""

from pathlib import Path


def check(*files: Path) -> None:
    """Read the whole of each file and check it: every chunk, shapes, types, ranges, recorded checksums.

    Parameters
    ----------
    files
        HDF5 files with walls (x0, targs), sparse events, muons in a calorimeter (LUMIN's fold files too),
        readouts of wires, or predictions of any of them.
    """
    from cloudchamber.errors import InputError
    from cloudchamber.source.check import check_dataset
    from cloudchamber.source.kinds import task_of

    if not files:
        raise InputError("check", "", "one file or more", "none")
    for file in files:
        task = task_of(file)
        if task == "voxels":
            from cloudchamber.cli.info_voxels import check_voxels

            print(check_voxels(file))
            continue
        if task == "energy":
            from cloudchamber.cli.info_energy import check_energy

            print(check_energy(file))
            continue
        if task == "wires":
            from cloudchamber.cli.info_wires import check_wires

            print(check_wires(file))
            continue
        if task in ("beam", "hits"):
            from cloudchamber.cli.info_wire_predictions import check_wire_predictions

            print(check_wire_predictions(file))
            continue
        report = check_dataset(file)
        checks = "; ".join(f"{name}: {result}" for name, result in report.checks.items())
        print(f"{file}: good. {report.samples} samples of {report.holds}, shape {report.shape}. {checks}")
