import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from PIL import Image

import colorizer
from colorizer.photographs import colorize_image
from colorizer.serve.uploads import MOST_BYTES, read_picture
from tests.conftest import Here
from tests.serve.conftest import Server, free_port, served
from tests.serve.pictures import same


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a machine without CIFAR-10."""
    folder = tmp_path_factory.mktemp("server")
    with served(folder, COLORIZER_DATA=str(folder / "none")) as started:
        yield started


def test_the_page_is_served_to_this_machine_alone(server: Server) -> None:
    with urlopen(server.address) as answer:
        page = answer.read().decode()
    for loaded in re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', page):
        assert loaded.startswith(("./", "/")), loaded
    with urlopen(f"{server.address}theme.css") as answer:
        assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", answer.read().decode())
    config = settings(server)
    assert config["title"] == "colorizer"
    assert not config["analytics_enabled"]
    assert config["max_file_size"] == MOST_BYTES
    port = int(re.findall(r":(\d+)/", server.address)[0])
    addresses = {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), port)}
    for address in addresses - {"127.0.0.1", "::1"}:
        with (
            pytest.raises(ConnectionRefusedError),
            socket.create_connection((address, port), timeout=1),
        ):
            pass


def test_without_cifar_10_the_second_tab_says_so(server: Server) -> None:
    texts = [str(part["props"].get("value")) for part in settings(server)["components"]]
    (said,) = (text for text in texts if "CIFAR-10" in text)
    assert "$COLORIZER_DATA or data.root=FOLDER says where it is" in said


def test_a_picture_is_coloured_and_a_broken_one_refused(
    server: Server, astronaut: Path, tmp_path: Path
) -> None:
    gradio_client = pytest.importorskip("gradio_client")
    client = gradio_client.Client(server.address, verbose=False, download_files=tmp_path)

    def color(path: Path, *rest: object) -> list[tuple[Any, ...]]:
        uploaded = gradio_client.handle_file(str(path))
        return list(client.submit(uploaded, *rest, api_name="/color"))

    (_, refused, slider, *_), (*_, download, _) = color(astronaut, "cifar10-faithful", 1.2, 0)
    assert not refused["visible"]
    assert len(slider) == 2
    assert Path(download["value"]).name == "My-astronaut-1-cifar10-faithful.png"
    faithful = colorizer.load("cifar10-faithful")
    expected = colorize_image(faithful, read_picture(astronaut).gray, saturation=1.2)
    assert same(Image.open(download["value"]), expected)

    (tmp_path / "cut.jpg").write_bytes(astronaut.read_bytes()[:9000])
    ((upload, refused, slider, *_),) = color(tmp_path / "cut.jpg", "cifar10-faithful", 1, 0)
    assert (upload, slider) == (None, None)
    assert refused["visible"]
    assert refused["value"].startswith("The picture cannot be read: image file is truncated")


def test_pictures_are_removed_at_the_end(server: Server) -> None:
    """The last of this module: it ends the server."""
    (folder,) = server.folder.glob("colorizer-serve-*")
    server.process.terminate()
    assert server.process.wait(60) == 0
    assert not folder.exists()
    assert server.process.stdout
    assert "Traceback" not in server.process.stdout.read()


def test_addresses_that_cannot_be_had(
    tmp_path: Path, here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    none = f"data.root={tmp_path}"

    def error(*arguments: str) -> str:
        assert here("serve", *arguments, none) == 2
        return capsys.readouterr().err.splitlines()[-1]

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"cannot listen on 127.0.0.1, port {port}: Address already in use" in error(
            "--port", port
        )
    assert "port 70000: from 1 to 65535" in error("--port", "70000")
    assert "cannot listen on no.such.host.invalid: " in error("--host", "no.such.host.invalid")
    assert "serve takes data.root=FOLDER alone" in error("data=photos")


def settings(server: Server) -> dict[str, Any]:
    """What the page is made of."""
    with urlopen(f"{server.address}config") as answer:
        found: dict[str, Any] = json.load(answer)
    return found
