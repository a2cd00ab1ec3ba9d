"""The page in a real browser: Debian's chromium and chromium-driver."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import colorizer
from colorizer.photographs import colorize_image
from colorizer.serve.answers import Answers
from colorizer.serve.fooling import Fooling
from colorizer.serve.two_afc import plan
from colorizer.serve.uploads import MOST_BYTES, read_picture
from tests.serve.conftest import Server, served
from tests.serve.pictures import png_of_zeros, same

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="needs Debian's chromium and chromium-driver",
    ),
]

# Seconds that anything on the page may take on a busy machine.
PATIENCE = 120


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("server"), "--pairs", "4") as started:
        yield started


class Page:
    """A page in the browser, found by CSS selectors."""

    def __init__(self, driver: Any, server: Server) -> None:
        self.driver = driver
        self.server = server
        driver.get(server.address)

    def all(self, selector: str) -> list[Any]:
        """What is to be seen, or a field for files."""
        found = self.driver.find_elements("css selector", selector)
        return [e for e in found if e.is_displayed() or e.get_attribute("type") == "file"]

    def wait(self, selector: str, count: int = 1) -> list[Any]:
        """So many or more, when they are there."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found = self.all(selector)
            if len(found) >= count:
                return found
            time.sleep(0.02)
        raise AssertionError(f"no {selector} in {PATIENCE} s")

    def upload(self, path: Path) -> None:
        self.wait("#upload input[type=file]")[0].send_keys(str(path))

    def requests(self) -> list[str]:
        """The addresses of all that the page has asked for so far."""
        entries = [json.loads(entry["message"]) for entry in self.driver.get_log("performance")]
        messages = [entry["message"] for entry in entries]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]


@pytest.fixture
def page(server: Server, tmp_path: Path) -> Iterator[Page]:
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--window-size=1200,1000",
        f"--user-data-dir={tmp_path / 'profile'}",
    ):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"download.default_directory": str(tmp_path)})
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    options.binary_location = shutil.which("chromium")
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield Page(driver, server)
    finally:
        driver.quit()


def test_a_picture_is_coloured_under_a_slider(page: Page, astronaut: Path, tmp_path: Path) -> None:
    page.upload(astronaut)
    before, after = page.wait("#slider img", 2)
    assert before.get_attribute("src") != after.get_attribute("src")
    assert int(after.get_attribute("naturalWidth")) == 512

    page.wait("#model input")[0].click()
    (vivid,) = [
        option for option in page.wait("[role=option]", 2) if option.text == "cifar10-vivid"
    ]
    vivid.click()
    number = page.wait("#draws input[type=number]")[0]
    number.send_keys("\ue009a\ue000", "2\t")  # replaces what is there
    draws = page.wait("#gallery img", 3)
    draws[2].click()
    time.sleep(1)
    page.wait("#slider img[src*='draw-2']")
    page.wait("#download")[0].click()
    until = time.monotonic() + PATIENCE
    name = "My-astronaut-1-cifar10-vivid-draw-2.png"
    while not (tmp_path / name).exists() and time.monotonic() < until:
        time.sleep(0.1)
    drawn = colorize_image(
        colorizer.load("cifar10-vivid"), read_picture(astronaut).gray, sample_seed=1
    )
    assert same(Image.open(tmp_path / name), drawn)

    # Not the browser's own pages, which come from the browser.
    asked = {address for address in page.requests() if not address.startswith("chrome")}
    assert page.server.address in asked
    local = (page.server.address, "data:", "blob:")
    assert {address for address in asked if not address.startswith(local)} == set()


def test_what_is_broken_or_huge_is_refused(page: Page, astronaut: Path, tmp_path: Path) -> None:
    cut, large = tmp_path / "cut.jpg", tmp_path / "large.jpg"
    cut.write_bytes(astronaut.read_bytes()[:9000])
    page.upload(cut)
    refused = page.wait("#refused")[0].text
    assert refused.startswith("The picture cannot be read: image file is truncated")
    # The next one is taken again.
    page.upload(astronaut)
    page.wait("#slider img", 2)
    assert not page.all("#refused")

    page.driver.refresh()
    page.upload(png_of_zeros(tmp_path / "bomb.png", 14_000, 13_000))
    assert "of up to 50 megapixels" in page.wait("#refused")[0].text

    page.driver.refresh()
    large.write_bytes(astronaut.read_bytes() + bytes(MOST_BYTES))
    page.upload(large)
    assert "exceed the maximum allowed size of 30" in page.wait(".toast-body")[0].text
    assert not page.all("#slider img")


@pytest.mark.cifar10
def test_a_round_of_which_one_is_real(page: Page) -> None:
    page.wait("button[role=tab]", 2)[1].click()
    page.wait("#start")[0].click()
    trials = plan(0, 10_000, range(10_000), pairs=4)  # as many, of the same kinds
    for number in range(len(trials)):
        seen = page.wait("#pair .pair.seen img", 2)
        assert len({image.get_attribute("src") for image in seen}) == 2
        assert not page.all("#pair .choice:enabled")
        assert all(image.get_attribute("src").startswith("data:image/png") for image in seen)
        _, right = page.wait("#pair .choice:enabled", 2)
        assert not page.all("#pair .frame img")
        if number % 2:
            right.click()
        else:
            page.driver.find_element("css selector", "body").send_keys("\ue012")  # arrow left
        if number == 0:
            said = page.wait("#pair .note")[0]
            page.wait("#pair .pair.seen")
            assert said.text.startswith(("Right.", "The right one was real."))
    page.wait("#result")
    answers, damaged = Answers(page.server.folder / "two-afc.jsonl").read()
    assert damaged == 0
    assert [answer["trial"] for answer in answers] == list(range(len(trials)))
    chosen = ["left", "right"] * len(trials)
    assert [answer["chosen"] for answer in answers] == chosen[: len(trials)]
    # A second each, but for a frame of the screen and what a busy machine adds.
    assert all(990 <= answer["shown_ms"] < 1200 for answer in answers)
    assert len(Fooling.of(answers).rates) + Fooling.of(answers).inattentive == 1
