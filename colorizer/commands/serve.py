"""`colorizer serve`: a page in the browser."""

import argparse
import contextlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from colorizer.console import complain, say

if TYPE_CHECKING:
    from colorizer.serve.offered import Offered
    from colorizer.serve.pairs import ForcedChoice

RESULTS = "two-afc.jsonl"


def main(arguments: Sequence[str]) -> None:
    """Serve the page until Ctrl-C; or print the fooling rates of a file of answers.

    Raises:
        UserError: see `Offered`, `serving` and `Answers`; or an override that is not for the data.
    """
    options = _parser().parse_intermixed_args(arguments)
    from colorizer.quiet import quiet

    quiet()
    if options.table:
        _table(Path(options.table))
        return
    from colorizer.serve.offered import Offered
    from colorizer.serve.server import LOOPBACK, serving
    from colorizer.signals import install

    offered = Offered(options.model, options.trust)
    choice = _forced_choice(offered, options)
    install()
    served = serving(offered, choice, options.host, options.port)
    with contextlib.suppress(KeyboardInterrupt), served as address:
        if options.host not in LOOPBACK:
            complain(f"{options.host}: whoever reaches this machine can use the page")
        alone = ", for this machine alone" if options.host in LOOPBACK else ""
        say(f"{address}{alone}; Ctrl-C ends it")
        threading.Event().wait()


def _forced_choice(offered: "Offered", options: argparse.Namespace) -> "ForcedChoice | str":
    """The sessions of the second tab; or why there are none."""
    from colorizer.serve.answers import Answers
    from colorizer.serve.pairs import ForcedChoice, NoImages, official_images

    try:
        images = official_images(options.overrides)
    except NoImages as error:
        complain(f"without the second tab: {error}")
        return str(error)
    answers = Answers(Path(options.results))
    answers.check()
    return ForcedChoice(images, offered, answers, options.pairs, options.seed)


def _table(path: Path) -> None:
    from colorizer.errors import UserError
    from colorizer.serve.answers import Answers
    from colorizer.serve.fooling import Fooling

    if not path.is_file():
        raise UserError(f"there is no file of answers {path}")
    answers, damaged = Answers(path).read()
    found = Fooling.of(answers)
    if damaged:
        complain(f"{path}: {damaged} lines are no answers, and left out")
    for note in found.notes():
        complain(note)
    say(found.table() if found.rates else f"{path} has no complete session")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "colorizer serve",
        description="Serve a page, to this machine alone: drop a picture, and see it in colour "
        "under a slider; and the two-alternative forced choice of Zhang et al. 2016, which shows "
        "people real and coloured test images of CIFAR-10 and asks which one was real. Nothing is "
        "fetched from or sent to other machines.",
        epilog="examples:\n"
        "  colorizer serve\n"
        "  colorizer serve --model outputs/RUN --model mine.safetensors\n"
        "  colorizer serve --results people.jsonl data.root=/data/cifar\n"
        "  colorizer serve --table people.jsonl",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    cifar = "where CIFAR-10 is; default: $COLORIZER_DATA, else data/"
    add("overrides", nargs="*", metavar="data.root=FOLDER", help=cifar)
    more = "a colorizer beside those of the package; may be given several times"
    add("--model", action="append", default=[], metavar="RUN|FILE", help=more)
    trust = "also build networks of this package when a run's config asks for them"
    add("--trust", action="append", default=[], metavar="PACKAGE", help=trust)
    add("--host", default="127.0.0.1", help="address to listen on; default: %(default)s")
    add("--port", type=int, help="default: the first free one from 7860 on")
    kept = "where answers are added, a JSON object a line; default: %(default)s"
    add("--results", default=RESULTS, metavar="FILE", help=kept)
    add("--pairs", type=int, default=40, help="of a session that count; default: %(default)s")
    add("--seed", type=int, default=0, help="of the first session; default: %(default)s")
    table = "print the fooling rates of a file of answers, and serve nothing"
    add("--table", metavar="FILE", help=table)
    return parser
