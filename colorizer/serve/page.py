"""The page: a tab to colour a picture, and a tab that asks which of two images was real."""

from pathlib import Path
from typing import Any

import gradio as gr

from colorizer.serve.color_tab import ColorTab
from colorizer.serve.offered import Offered
from colorizer.serve.pairs import ForcedChoice
from colorizer.serve.real_tab import RealTab

HERE = Path(__file__).parent

TITLE = "colorizer"

FONTS = ("system-ui", "sans-serif")


def page(offered: Offered, choice: ForcedChoice | str, folder: Path) -> gr.Blocks:
    """Put the page together.

    Args:
        offered: its colorizers.
        choice: the sessions; or why there are none.
        folder: for pictures, while the page is served.
    """
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 3600)) as made:
        gr.Markdown("# colorizer\nGray in, plausible colour out.")
        with gr.Tab("Colour a picture", id="color"):
            ColorTab(offered, folder)
        with gr.Tab("Which one is real?", id="real"):
            if isinstance(choice, ForcedChoice):
                RealTab(choice)
            else:
                gr.Markdown(f"{choice}\n\nThe other tab works without it.", elem_id="no-data")
    return made


def looks() -> dict[str, Any]:
    """Theme and style, as `launch` takes them."""
    theme = gr.themes.Default(
        primary_hue="blue", neutral_hue="gray", font=FONTS, font_mono=("monospace",)
    )
    return {"theme": theme, "css": (HERE / "page.css").read_text()}
