"""The dashboard in a browser, beside a training that goes on."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import JOB

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver"),
]

WAIT = 120

STUDY = Path(__file__).parents[2] / "experiments" / "passthrough" / "runs"


def _start(*arguments: str, **kwargs: Any) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "colorizer", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **kwargs)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The records of a study: six finished runs."""
    shutil.copytree(STUDY, tmp_path / "runs")
    return tmp_path / "runs"


@pytest.fixture
def page(folder: Path) -> Iterator[Any]:
    """A browser with the page open."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    server = _start("dashboard", str(folder), "--port", "0")
    assert server.stdout
    address = re.search(r"http://\S+", server.stdout.readline())
    assert address
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "window-size=1500,950"):
        options.add_argument(f"--{argument}")
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    browser.get(address[0])
    yield browser
    browser.quit()
    server.terminate()
    server.wait(30)


def _until(page: Any, found: Callable[[Any], Any]) -> Any:
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.support.ui import WebDriverWait

    wait = WebDriverWait(page, WAIT, ignored_exceptions=[StaleElementReferenceException])
    return wait.until(found)


def _cells(page: Any, column: str) -> list[str]:
    """The texts of a column, from top to bottom, without the baselines."""
    cells = page.find_elements("css selector", f'#table .ag-row [col-id="{column}"]')
    rows = [cell.find_element("xpath", "..") for cell in cells]
    places = [
        (int(row.get_attribute("row-index")), cell.text)
        for row, cell in zip(rows, cells, strict=True)
        if row.get_attribute("row-index").isdecimal()
    ]
    return [text for _, text in sorted(places)]


def _open(page: Any, tab: str) -> None:
    (found,) = [t for t in page.find_elements("css selector", ".tab") if t.text == tab]
    found.click()


def test_a_training_is_followed_in_a_browser(page: Any, folder: Path) -> None:
    _until(page, lambda page: len(_cells(page, "seed")) == 6)
    results = [json.loads(path.read_text()) for path in folder.glob("*/results.json")]
    best_first = [
        f"{value:.2f}" for value in sorted((r["val/psnr"] for r in results), reverse=True)
    ]
    header = page.find_element("css selector", '#table .ag-header-cell[col-id="val/psnr"]')
    header.find_element("css selector", ".ag-header-cell-label").click()
    _until(page, lambda page: _cells(page, "val/psnr") == best_first[::-1])
    header.find_element("css selector", ".ag-header-cell-label").click()
    _until(page, lambda page: _cells(page, "val/psnr") == best_first)
    page.find_element("id", "find").send_keys("seed=1")
    _until(page, lambda page: _cells(page, "seed") == ["1", "1"])
    assert page.find_element("id", "count").text == "2 of 6 runs"
    _open(page, "Curves")
    _until(page, lambda page: page.find_element("id", "curves").text.count("(n=1)") == 2)
    _open(page, "Runs")
    page.find_element("id", "find").send_keys(6 * "\b")
    _until(page, lambda page: len(_cells(page, "seed")) == 6)

    environment = {**os.environ, "WANDB_MODE": "offline"}
    faster = ("trainer.max_epochs", "+trainer.limit_train", "logger", "model")
    job = [argument for argument in JOB if not argument.startswith(faster)]
    training = _start(
        *("train", *job, "logger=csv", "model=unet", "seed=9", "trainer.max_epochs=14"),
        *("callbacks.examples.min_seconds=0", f"hydra.run.dir={folder / 'live'}"),
        env=environment,
    )
    try:
        place = '#table .ag-row[row-id$="live"] [col-id="{}"]'
        epoch = place.format("epoch")
        first = _until(page, lambda page: _number(page, epoch))
        _until(page, lambda page: _number(page, epoch) > first)
        page.find_element("css selector", place.format("name")).click()
        _until(page, lambda page: "live" in page.find_element("id", "about").text)
        rows = "#about .gallery img"
        before = _until(page, lambda page: len(page.find_elements("css selector", rows)))
        _until(page, lambda page: len(page.find_elements("css selector", rows)) > before)
    finally:
        training.send_signal(signal.SIGINT)
        training.wait(60)
    _until(page, lambda page: "interrupted" in page.find_element("id", "about").text)
    severe = [e for e in page.get_log("browser") if e["level"] == "SEVERE"]
    assert not severe


def _number(page: Any, cell: str) -> int:
    """The epoch in a cell; 0 before there is one."""
    found = page.find_elements("css selector", cell)
    return int(found[0].text.partition(" / ")[0] or 0) if found else 0
