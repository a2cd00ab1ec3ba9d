"""The tab that asks people which of two images was real."""

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from colorizer.console import duration
from colorizer.errors import UserError
from colorizer.serve.fooling import Fooling
from colorizer.serve.pairs import ForcedChoice, Pairs, Shown

HERE = Path(__file__).parent

# A second of looking, and what people take to answer.
SECONDS_A_PAIR = 3.5

INTRODUCTION = """\
You see two small pictures side by side for one second. One is a photograph; the colours of the
other were made by a program from its gray version. Say which one is **real**.

{practice} pairs to practise with, then {counting} that count: about {time}. What is kept
are your answers and your times, nothing about you.
"""


def real_tab(choice: ForcedChoice | str) -> None:
    """Fill the tab; `choice` is why there are no sessions, where it is text."""
    if isinstance(choice, str):
        gr.Markdown(f"{choice}\n\nThe other tab works without it.", elem_id="no-data")
        return
    session: gr.State = gr.State(None)
    practice, counting = choice.lengths
    time = duration((practice + counting) * SECONDS_A_PAIR)
    text = INTRODUCTION.format(practice=practice, counting=counting, time=time)
    introduction = gr.Markdown(text, elem_id="introduction")
    refused = gr.HTML(visible=False, elem_id="refused")
    pair = gr.HTML(
        None,
        html_template=(HERE / "pair.html").read_text(),
        css_template=(HERE / "pair.css").read_text(),
        js_on_load=(HERE / "pair.js").read_text(),
        elem_id="pair",
        visible=False,
    )
    result = gr.Markdown(visible=False, elem_id="result")
    start = gr.Button("Start", variant="primary", elem_id="start")

    def begin() -> dict[Any, Any]:
        pairs = choice.start()
        return {session: pairs, **_during(pairs.current())}

    def answered(pairs: Pairs | None, event: gr.EventData) -> dict[Any, Any]:
        said = {key: getattr(event, key, None) for key in ("trial", "chosen")}
        said |= {key: getattr(event, key, None) for key in ("shown_ms", "answer_ms")}
        given = pairs.session.answer(said) if pairs else None
        if pairs is None or given is None:
            return {refused: gr.skip()}
        try:
            choice.answers.add(given)
        except UserError as error:
            pairs.session.given.pop()
            return {refused: gr.HTML(escape(str(error)), visible=True)}
        if not pairs.session.done:
            return {session: pairs, **_during(pairs.current())}
        return {session: None, **_after(pairs)}

    def _during(shown: Shown) -> dict[Any, Any]:
        return {
            introduction: gr.Markdown(visible=False),
            start: gr.Button(visible=False),
            refused: gr.HTML(visible=False),
            result: gr.Markdown(visible=False),
            pair: gr.HTML(shown, visible=True),
        }

    def _after(pairs: Pairs) -> dict[Any, Any]:
        return {
            pair: gr.HTML(None, visible=False),
            start: gr.Button("Start again", visible=True),
            result: gr.Markdown(_summary(pairs, choice), visible=True),
        }

    outputs = [session, introduction, refused, start, pair, result]
    start.click(begin, None, outputs, concurrency_id="network", concurrency_limit=1)
    pair.submit(answered, session, outputs, show_progress="hidden")


def _summary(pairs: Pairs, choice: ForcedChoice) -> str:
    given = pairs.session.given
    counting = [a["chosen"] != a["real"] for a in given if a["kind"] == "pair"]
    checks = [a["chosen"] == a["real"] for a in given if a["kind"] == "check"]
    so_far = Fooling.of(choice.answers.read()[0])
    everybody = ["### Everybody so far", so_far.markdown()] if so_far.rates else []
    return "\n\n".join(
        [
            "## Thank you",
            f"The colours were made by **{pairs.session.colorizer}**. You took "
            f"**{sum(counting)}** of its {len(counting)} pictures for the real one; of colours as "
            f"good as real it would be half. With gray pictures, which only say whether people "
            f"look, you were right {sum(checks)} times of {len(checks)}.",
            *everybody,
            *so_far.notes(),
        ]
    )
