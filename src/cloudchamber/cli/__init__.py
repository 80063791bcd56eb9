"""The command line: ``cloudchamber VERB``. What a verb needs is imported when it is called."""

from cloudchamber.cli.entry import main

__all__ = ["main"]
