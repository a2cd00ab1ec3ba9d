"""`colorizer dashboard`: a live page of runs and sweeps."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from colorizer.console import complain, say
from colorizer.errors import UserError

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def main(arguments: Sequence[str]) -> None:
    """Serve the page until Ctrl-C.

    Raises:
        UserError: a folder that is none, a port that is taken, or the extra is not installed.
    """
    options = _parser().parse_intermixed_args(arguments)
    folders = [Path(folder) for folder in options.folders]
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"{folder} is no folder: colorizer dashboard takes a folder of runs")
    server = make_server(folders, options.host, options.port)
    host = f"[{options.host}]" if ":" in options.host else options.host
    say(f"dashboard  http://{host}:{server.port}   (Ctrl-C ends it)")
    if options.host not in LOOPBACK:
        complain(
            f"whoever reaches {options.host} can read configs, errors and pictures of these runs"
        )
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        say()
    finally:
        server.server_close()


def make_server(folders: Sequence[Path], host: str, port: int) -> "BaseWSGIServer":
    """A server that is ready to serve; its port is `server.port`.

    Raises:
        UserError: the port is taken, or the extra is not installed.
    """
    try:
        from colorizer.dashboard.app import make_app
        from colorizer.dashboard.system import System
    except ModuleNotFoundError as error:
        raise UserError(
            f"colorizer dashboard needs {error.name}: pip install 'colorizer[dashboard]'"
        ) from error
    from werkzeug.serving import make_server as make

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
    system = System()
    app = make_app(folders, system)
    if host in LOOPBACK:
        # No page of another name, which a stranger's name server sends here, is answered.
        app.server.config["TRUSTED_HOSTS"] = list(LOOPBACK)
    try:
        server = make(host, port, app.server, threaded=True)
    except (OSError, SystemExit) as error:
        raise UserError(
            f"cannot serve on {host}, port {port}: it may be taken; --port 0 takes a free one"
        ) from error
    system.start()
    return server


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "colorizer dashboard",
        description="Serve a page that follows runs as they train: a table to sort and filter, "
        "learning curves with bands over seeds, parallel coordinates, example pictures over the "
        "epochs, the difference of two runs, and what the machine is doing. It only reads the run "
        "directories, and no other machine reaches it unless --host says so.",
        epilog="examples:\n"
        "  colorizer dashboard\n"
        "  colorizer dashboard outputs/first --port 8060\n"
        "  ssh -L 8050:localhost:8050 MACHINE colorizer dashboard outputs   from another machine",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folders", nargs="*", default=["outputs"], metavar="RUN_OR_FOLDER")
    parser.add_argument("--port", type=int, default=8050, help="default: 8050; 0: a free one")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to serve on; default: 127.0.0.1, loopback"
    )
    return parser
