"""What came of a search: the best trials as text, and Optuna's figures."""

import contextlib
from typing import Any

from colorizer.console import text_table
from colorizer.sweeps.search import Search, value_text
from colorizer.sweeps.search_settings import TrialState, optuna

# Of the trials, the best so many are printed.
SHOWN = 5


def search_text(search: Search) -> str:
    """The best trials, what became of the others, and the command of the best."""
    ranked = search.ranked()
    states = [trial.state for trial in search.study.get_trials(deepcopy=False)]
    counts = ", ".join(
        f"{states.count(state)} {word}"
        for state, word in (
            (TrialState.COMPLETE, "complete"),
            (TrialState.PRUNED, "pruned"),
            (TrialState.FAIL, "failed or interrupted"),
            (TrialState.RUNNING, "running"),
        )
        if state in states
    )
    text = f"\n{len(states)} trials in {search.folder}: {counts}"
    if not ranked:
        return text
    keys = sorted({key for trial in ranked for key in trial.params})
    lines = [
        [
            str(trial.number),
            *(value_text(trial.params.get(key, "")) for key in keys),
            f"{trial.value:.6f}",
        ]
        for trial in ranked[:SHOWN]
    ]
    text += f"\n\n{text_table(['trial', *keys, search.monitor], lines)}"
    return f"{text}\n\nthe best again: {search.command(ranked[0])}"


def search_figures(search: Search) -> dict[str, Any]:
    """Optuna's plots of the history and of the parameters' importances, where there are any."""
    figures = {}
    if search.ranked():
        figures["history"] = optuna.visualization.plot_optimization_history(
            search.study, target_name=search.monitor
        )
    if len(search.ranked()) > 3 and len(search.parsed_space()) > 1:
        with contextlib.suppress(RuntimeError, ValueError):  # all values are the same
            figures["importances"] = optuna.visualization.plot_param_importances(
                search.study,
                evaluator=optuna.importance.PedAnovaImportanceEvaluator(),
                target_name=search.monitor,
            )
    return figures
