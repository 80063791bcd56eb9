"""The one exception that a user's mistake raises; the command line turns it into one line and exit code 2."""

from pathlib import Path


class InputError(ValueError):
    """Something a user gave is wrong: a file, an entry of it, an option.

    Parameters
    ----------
    where : the file (or the option) that is at fault.
    entry : the entry in it: a data set, an attribute, a sample, a key; empty if the whole of it is meant.
    expected, found : what was wanted there and what stood there instead.
    """

    def __init__(self, where: str | Path, entry: str, expected: str, found: str) -> None:
        self.where, self.entry, self.expected, self.found = str(where), entry, expected, found
        place = f"{where}: {entry}" if entry else f"{where}"
        super().__init__(" ".join(f"{place}: expected {expected}, found {found}".split()))

    def __reduce__(self) -> tuple[type["InputError"], tuple[str, str, str, str]]:
        """Cross process borders unharmed (workers raise it too)."""
        return InputError, (self.where, self.entry, self.expected, self.found)
