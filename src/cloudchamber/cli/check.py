"""``cloudchamber check``: check that a file is whole and its numbers make sense."""

from pathlib import Path


def check(*files: Path) -> None:
    """Read the whole of each file and check it: every chunk, shapes, types, ranges, recorded checksums.

    Parameters
    ----------
    files
        HDF5 files with walls (x0, targs), sparse events, or predictions (preds).
    """
    from cloudchamber.errors import InputError
    from cloudchamber.source.check import check_dataset
    from cloudchamber.source.kinds import task_of

    if not files:
        raise InputError("check", "", "one file or more", "none")
    for file in files:
        if task_of(file) == "voxels":
            from cloudchamber.cli.info_voxels import check_voxels

            print(check_voxels(file))
            continue
        report = check_dataset(file)
        checks = "; ".join(f"{name}: {result}" for name, result in report.checks.items())
        print(f"{file}: good. {report.samples} samples of {report.holds}, shape {report.shape}. {checks}")
