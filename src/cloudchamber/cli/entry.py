"""From arguments to exit code: every mistake of a user is one line on standard error."""

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cloudchamber import __version__
from cloudchamber.cli.verbs import VERBS, Verb
from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cyclopts import App
    from pydantic import ValidationError

USER_ERROR, INTERRUPTED, BROKEN_PIPE = 2, 130, 141
FOLDER = Path(__file__).parent


def available_verbs() -> tuple[Verb, ...]:
    """Return the verbs whose modules are installed."""
    return tuple(verb for verb in VERBS if (FOLDER / f"{verb.module}.py").is_file())


def overview() -> str:
    """Return the help on all verbs. It is put together here, for cyclopts alone takes longer than 0.3 s."""
    verbs = available_verbs()
    width = max(len(verb.name) for verb in verbs)
    lines = "\n".join(f"  {verb.name:<{width}}  {verb.help}" for verb in verbs)
    return (
        "Usage: cloudchamber VERB [ARGUMENTS]\n\n"
        "Simulate, reconstruct, learn and score the images that particle detectors take.\n\n"
        f"Verbs:\n{lines}\n\n"
        "Options:\n"
        "  -h, --help  Show this; after a verb, its arguments.\n"
        "  --version   Show the version.\n"
    )


def build_app() -> "App":
    """Return the cyclopts app, in which a verb's module is imported when the verb is called."""
    from cyclopts import App

    app = App(
        name="cloudchamber",
        version=__version__,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for verb in available_verbs():
        app.command(f"cloudchamber.cli.{verb.module}:{verb.function}", name=verb.name, help=verb.help)
    return app


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    Returns
    -------
    0; 2 after a mistake in what was given, which one line on standard error names; 130 after Ctrl-C; or what
    the verb returns.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if not arguments or arguments in (["--help"], ["-h"], ["help"]):
            print(overview(), end="")
        elif arguments == ["--version"]:
            print(__version__)
        elif not _verb(arguments):
            names = ", ".join(verb.name for verb in available_verbs())
            raise InputError("cloudchamber VERB", "", f"one of {names}", repr(arguments[0]))
        else:
            code = _run(arguments)
            sys.stdout.flush()
            return code
        sys.stdout.flush()
        return 0
    except BrokenPipeError:
        # Python flushes standard output again at exit: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        _complain("interrupted; what was finished is kept where it can be, and the same command resumes")
        return INTERRUPTED
    except InputError as error:
        _complain(str(error))
    except MemoryError as error:
        _complain(f"expected enough memory, found too little of it {error}")
    except OSError as error:
        if error.errno == errno.EPIPE:
            return BROKEN_PIPE
        where = f"{error.filename}: " if error.filename is not None else ""
        _complain(f"{where}{error.strerror or error}")
    return USER_ERROR


def _run(arguments: list[str]) -> int:
    from cyclopts.exceptions import CycloptsError
    from pydantic import ValidationError

    try:
        result = build_app()(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        _complain(f"{error} (see cloudchamber {_verb(arguments)}--help)")
        return USER_ERROR
    except ValidationError as error:
        _complain(describe(error))
        return USER_ERROR
    return result if isinstance(result, int) else 0


def _verb(arguments: list[str]) -> str:
    return f"{arguments[0]} " if arguments[0] in {verb.name for verb in available_verbs()} else ""


def describe(error: "ValidationError") -> str:
    """Say in one line what is wrong with the first faulty key of a configuration."""
    first = error.errors(include_url=False)[0]
    key = ".".join(str(step) for step in first["loc"]) or "the whole"
    return f"{error.title}: {key}: {first['msg']}, found {first['input']!r}"


def _complain(text: str) -> None:
    print(f"cloudchamber: {' '.join(text.split())}", file=sys.stderr)
