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

Changes = dict[Any, Any]
"""What an event changes on the page, by component."""

# What the browser says with an answer.
SAID = ("trial", "chosen", "shown_ms", "answer_ms")

# A second of looking, and what people take to answer.
SECONDS_A_PAIR = 3.5

INTRODUCTION = """\
You see two small pictures side by side for one second. One is a photograph; the colours of the
other were made by a program from its gray version. Say which one is **real**.

{practice} pairs to practise with, then {counting} that count: about {time}. What is kept
are your answers and your times, nothing about you.
"""


class RealTab:
    """The tab, made where it is to be on the page.

    Args:
        choice: its sessions.
    """

    def __init__(self, choice: ForcedChoice) -> None:
        self._choice = choice
        practice, counting = choice.lengths
        time = duration((practice + counting) * SECONDS_A_PAIR)
        text = INTRODUCTION.format(practice=practice, counting=counting, time=time)
        self._session: gr.State = gr.State(None)
        self._introduction = gr.Markdown(text, elem_id="introduction")
        self._refused = gr.HTML(visible=False, elem_id="unwritten")
        self._pair = gr.HTML(
            None,
            html_template=(HERE / "pair.html").read_text(),
            css_template=(HERE / "pair.css").read_text(),
            js_on_load=(HERE / "pair.js").read_text(),
            elem_id="pair",
            visible=False,
        )
        self._result = gr.Markdown(visible=False, elem_id="result")
        self._start = gr.Button("Start", variant="primary", elem_id="start")
        parts = (self._introduction, self._refused, self._pair, self._result, self._start)
        outputs = [self._session, *parts]
        self._start.click(self._begin, None, outputs, concurrency_id="network", concurrency_limit=1)
        self._pair.submit(self._answered, self._session, outputs, show_progress="hidden")

    def _begin(self) -> Changes:
        pairs = self._choice.start()
        return {self._session: pairs, **self._during(pairs.current())}

    def _answered(self, pairs: Pairs | None, event: gr.EventData) -> Changes:
        """Keep an answer, and show the next pair, or the end."""
        said = {key: getattr(event, key, None) for key in SAID}
        given = pairs.session.answer(said) if pairs else None
        if pairs is None or given is None:
            return {self._refused: gr.skip()}
        try:
            self._choice.answers.add(given)
        except UserError as error:
            pairs.session.given.pop()
            return {self._refused: gr.HTML(escape(str(error)), visible=True)}
        if not pairs.session.done:
            return {self._session: pairs, **self._during(pairs.current())}
        return {
            self._session: None,
            self._pair: gr.HTML(None, visible=False),
            self._start: gr.Button("Start again", visible=True),
            self._result: gr.Markdown(_summary(pairs, self._choice), visible=True),
        }

    def _during(self, shown: Shown) -> Changes:
        hidden = (self._introduction, self._refused, self._result, self._start)
        return {
            **{part: type(part)(visible=False) for part in hidden},
            self._pair: gr.HTML(shown, visible=True),
        }


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
