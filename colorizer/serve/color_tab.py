"""The tab that colours a picture."""

import shutil
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from colorizer.errors import UserError
from colorizer.serve.coloring import Picture
from colorizer.serve.offered import Offered
from colorizer.serve.uploads import MOST_BYTES, MOST_PIXELS, read_picture

MOST_DRAWS, MOST_VIVID = 6, 2.0

LIMITS = f"Up to {MOST_BYTES / 2**20:.0f} MB and {MOST_PIXELS / 1e6:.0f} megapixels."

Changes = dict[Any, Any]
"""What an event changes on the page, by component."""


class ColorTab:
    """The tab, made where it is to be on the page.

    Args:
        offered: the colorizers.
        folder: for what the page shows; a picture's files are removed with the next one's.
    """

    def __init__(self, offered: Offered, folder: Path) -> None:
        self._offered = offered
        self._folder = folder
        self._state: gr.State = gr.State(None, delete_callback=_forget)
        with gr.Row():
            with gr.Column(scale=2, min_width=280):
                self._add_controls()
            with gr.Column(scale=3, min_width=280):
                self._add_results()
        self._add_events()

    def _add_controls(self) -> None:
        self._upload = gr.Image(
            type="filepath",
            sources=["upload", "clipboard"],
            label="Picture",
            placeholder=f"Drop a picture here, or click\n{LIMITS}",
            height=260,
            buttons=[],
            elem_id="upload",
        )
        names = self._offered.names
        self._model = gr.Dropdown(names, value=names[0], label="Colorizer", elem_id="model")
        self._vividness = gr.Slider(
            0, MOST_VIVID, value=1, step=0.05, label="Vividness", elem_id="vividness"
        )
        self._draws = gr.Slider(
            0,
            MOST_DRAWS,
            value=0,
            step=1,
            label="Draws",
            info="Other answers of the same colorizer; click one to see it large.",
            visible=self._offered.draws(names[0]),
            elem_id="draws",
        )

    def _add_results(self) -> None:
        self._refused = gr.HTML(visible=False, elem_id="refused")
        self._slider = gr.ImageSlider(
            label="Before and after",
            interactive=False,
            type="filepath",
            max_height=440,
            buttons=["fullscreen"],
            elem_id="slider",
        )
        self._download = gr.DownloadButton("Download (PNG)", visible=False, elem_id="download")
        self._gallery = gr.Gallery(
            label="Best guess and draws",
            show_label=False,
            columns=4,
            height=None,
            allow_preview=False,
            buttons=[],
            visible=False,
            elem_id="gallery",
        )

    def _add_events(self) -> None:
        upload, model = self._upload, self._model
        network = {"concurrency_id": "network", "concurrency_limit": 1}
        gr.on(
            [upload.upload, upload.clear, model.change, self._vividness.change, self._draws.change],
            self._color,
            [upload, model, self._vividness, self._draws, self._state],
            [upload, self._state, self._refused, self._slider, self._download, self._gallery],
            api_name="color",
            preprocess=False,
            trigger_mode="always_last",
            **network,
        )
        model.change(lambda name: gr.Slider(visible=self._offered.draws(name)), model, self._draws)
        self._gallery.select(self._choose, self._state, [self._slider, self._download], **network)

    def _color(
        self,
        uploaded: dict[str, Any] | None,
        name: str,
        vividness: object,
        draws: object,
        old: Picture | None,
    ) -> Iterator[Changes]:
        """Colour what was uploaded: the best guess first, then draws, as they are ready."""
        _forget(old)
        nothing = {
            self._state: None,
            self._refused: gr.HTML(visible=False),
            self._slider: None,
            self._gallery: gr.Gallery(None, visible=False),
            self._download: gr.DownloadButton(visible=False),
        }
        if not uploaded or name not in self._offered:
            yield nothing
            return
        try:
            picture = self._read(uploaded, name, _within(vividness, MOST_VIVID, 1))
            best = picture.answer()
        except UserError as error:
            message = gr.HTML(escape(str(error)), visible=True)
            yield {**nothing, self._upload: None, self._refused: message}
            return
        yield {**nothing, self._state: picture, **self._seen(picture, best, None)}
        yield self._ready(picture, best, None)
        many = round(_within(draws, MOST_DRAWS, 0)) if self._offered.draws(name) else 0
        pictures = [(str(picture.show(best)), "best")]
        for seed in range(many):
            drawn = picture.show(picture.answer(seed), seed)
            pictures.append((str(drawn), f"draw {seed + 1}"))
            yield {self._gallery: gr.Gallery(pictures, visible=True)}

    def _choose(self, picture: Picture | None, event: gr.SelectData) -> Iterator[Changes]:
        """Show the best guess or a draw, which is computed again in the picture's own size."""
        if picture is None or event.index not in range(MOST_DRAWS + 1):
            yield {self._slider: gr.skip()}
            return
        seed = event.index - 1 if event.index else None
        answer = picture.answer(seed)
        yield self._seen(picture, answer, seed)
        yield self._ready(picture, answer, seed)

    def _read(self, uploaded: dict[str, Any], name: str, saturation: float) -> Picture:
        photograph = read_picture(Path(uploaded["path"]))
        own = Path(tempfile.mkdtemp(dir=self._folder))
        title = str(uploaded.get("orig_name") or "")
        return Picture(photograph, title, self._offered.colorizer(name), name, saturation, own)

    def _seen(self, picture: Picture, answer: Image.Image, seed: int | None) -> Changes:
        pair = (str(picture.show_before()), str(picture.show(answer, seed)))
        return {self._slider: pair, self._download: gr.DownloadButton(visible=False)}

    def _ready(self, picture: Picture, answer: Image.Image, seed: int | None) -> Changes:
        written = str(picture.write(answer, seed))
        return {self._download: gr.DownloadButton(value=written, visible=True)}


def _within(value: object, most: float, usual: float) -> float:
    """A number of a slider; its box can be empty."""
    return min(max(float(value), 0.0), most) if isinstance(value, int | float) else usual


def _forget(picture: Picture | None) -> None:
    """Remove a picture's files."""
    if picture:
        shutil.rmtree(picture.folder, ignore_errors=True)
