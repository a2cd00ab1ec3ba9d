"""Serves the page: to this machine alone unless told otherwise, and with nothing sent elsewhere."""

import contextlib
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from colorizer.errors import UserError, not_installed, shown
from colorizer.serve.offered import Offered
from colorizer.serve.pairs import ForcedChoice
from colorizer.serve.uploads import MOST_BYTES

LOOPBACK = ("127.0.0.1", "localhost", "::1")

# Whose picture or session is kept at a time.
MOST_VISITORS = 100

# Gradio and the libraries below it read them when they are imported.
SETTINGS = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
}


@contextlib.contextmanager
def serving(
    offered: Offered, choice: ForcedChoice | str, host: str, port: int | None
) -> Iterator[str]:
    """Serve the page during a block; gives its address. Pictures are removed at the end.

    Args:
        offered: see `page`.
        choice: see `page`.
        host: address to listen on.
        port: None: the first free one from 7860 on.

    Raises:
        UserError: Gradio is not installed, or the address or the port cannot be had.
    """
    _check_address(host, port or 0)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="colorizer-serve-"))
        stack.enter_context(_environment({**SETTINGS, "GRADIO_TEMP_DIR": folder}))
        try:
            from colorizer.serve.page import looks, page
        except ModuleNotFoundError as error:
            if error.name != "gradio":
                raise
            raise UserError(not_installed("Gradio", "serve")) from error
        made = page(offered, choice, Path(folder))
        _, address, _ = made.launch(
            server_name=host,
            server_port=port,
            max_file_size=MOST_BYTES,
            state_session_capacity=MOST_VISITORS,
            share=False,
            inbrowser=False,
            quiet=True,
            prevent_thread_lock=True,
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
            **looks(),
        )
        try:
            yield address
        finally:
            made.close(verbose=False)


@contextlib.contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    """Other environment variables for a block."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _check_address(host: str, port: int) -> None:
    """Raise UserError for an address that is not this machine's, or a port that is taken."""
    if port not in range(65536):
        raise UserError(f"port {shown(port)}: from 1 to 65535")
    where = f"{shown(host)}, port {port}" if port else shown(host)
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no such address"
        raise UserError(f"cannot listen on {where}: {reason}") from error
