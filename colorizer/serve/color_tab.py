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


def color_tab(offered: Offered, folder: Path) -> None:
    """Fill the tab.

    Args:
        offered: the colorizers.
        folder: for what the page shows; a picture's files are removed with the next one's.
    """
    first = offered.names[0]
    state: gr.State = gr.State(None, delete_callback=_forget)
    with gr.Row():
        with gr.Column(scale=2, min_width=280):
            upload = gr.Image(
                type="filepath",
                sources=["upload", "clipboard"],
                label="Picture",
                placeholder=f"Drop a picture here, or click\n{LIMITS}",
                height=260,
                buttons=[],
                elem_id="upload",
            )
            model = gr.Dropdown(offered.names, value=first, label="Colorizer", elem_id="model")
            vividness = gr.Slider(
                0, MOST_VIVID, value=1, step=0.05, label="Vividness", elem_id="vividness"
            )
            draws = gr.Slider(
                0,
                MOST_DRAWS,
                value=0,
                step=1,
                label="Draws",
                info="Other answers of the same colorizer; click one to see it large.",
                visible=offered.draws(first),
                elem_id="draws",
            )
        with gr.Column(scale=3, min_width=280):
            refused = gr.HTML(visible=False, elem_id="refused")
            slider = gr.ImageSlider(
                label="Before and after",
                interactive=False,
                type="filepath",
                max_height=440,
                buttons=["fullscreen"],
                elem_id="slider",
            )
            download = gr.DownloadButton("Download (PNG)", visible=False, elem_id="download")
            gallery = gr.Gallery(
                label="Best guess and draws",
                show_label=False,
                columns=4,
                height=None,
                allow_preview=False,
                buttons=[],
                visible=False,
                elem_id="gallery",
            )

    def color(
        uploaded: dict[str, Any] | None, name: str, vivid: float, count: int, old: Picture | None
    ) -> Iterator[dict[Any, Any]]:
        _forget(old)
        nothing = {
            state: None,
            refused: gr.HTML(visible=False),
            slider: None,
            gallery: gr.Gallery(None, visible=False),
            download: gr.DownloadButton(visible=False),
        }
        if not uploaded or name not in offered:
            yield nothing
            return
        try:
            picture = _picture(uploaded, name, vivid, offered, folder)
            best = picture.answer()
        except UserError as error:
            message = gr.HTML(escape(str(error)), visible=True)
            yield {**nothing, upload: None, refused: message}
            return
        yield {**nothing, state: picture, **_seen(picture, best, None)}
        yield _ready(picture, best, None)
        many = round(_within(count, MOST_DRAWS, 0)) if offered.draws(name) else 0
        pictures = [(str(picture.show(best)), "best")]
        for seed in range(many):
            drawn = picture.show(picture.answer(seed), seed)
            pictures.append((str(drawn), f"draw {seed + 1}"))
            yield {gallery: gr.Gallery(pictures, visible=True)}

    def choose(picture: Picture | None, event: gr.SelectData) -> Iterator[dict[Any, Any]]:
        if picture is None or event.index not in range(MOST_DRAWS + 1):
            return
        seed = event.index - 1 if event.index else None
        answer = picture.answer(seed)
        yield _seen(picture, answer, seed)
        yield _ready(picture, answer, seed)

    def _seen(picture: Picture, answer: Image.Image, seed: int | None) -> dict[Any, Any]:
        pair = (str(picture.show_before()), str(picture.show(answer, seed)))
        return {slider: pair, download: gr.DownloadButton(visible=False)}

    def _ready(picture: Picture, answer: Image.Image, seed: int | None) -> dict[Any, Any]:
        return {download: gr.DownloadButton(value=str(picture.write(answer, seed)), visible=True)}

    gr.on(
        [upload.upload, upload.clear, model.change, vividness.change, draws.change],
        color,
        [upload, model, vividness, draws, state],
        [upload, state, refused, slider, download, gallery],
        preprocess=False,
        trigger_mode="always_last",
        concurrency_id="network",
        concurrency_limit=1,
    )
    model.change(lambda name: gr.Slider(visible=offered.draws(name)), model, draws)
    gallery.select(choose, state, [slider, download], concurrency_id="network")


def _picture(
    uploaded: dict[str, Any], name: str, vivid: float, offered: Offered, folder: Path
) -> Picture:
    """Read what was uploaded; raises UserError."""
    photograph = read_picture(Path(uploaded["path"]))
    own = Path(tempfile.mkdtemp(dir=folder))
    title = str(uploaded.get("orig_name") or "")
    saturation = _within(vivid, MOST_VIVID, 1)
    return Picture(photograph, title, offered.colorizer(name), name, saturation, own)


def _within(value: object, most: float, usual: float) -> float:
    """A number of a slider; its box can be empty."""
    return min(max(float(value), 0.0), most) if isinstance(value, int | float) else usual


def _forget(picture: Picture | None) -> None:
    """Remove a picture's files."""
    if picture:
        shutil.rmtree(picture.folder, ignore_errors=True)
