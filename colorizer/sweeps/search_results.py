"""What came of a search, as text: the best trials, the race, the importances."""

import contextlib

import numpy as np

from colorizer.console import text_table
from colorizer.sweeps.race import Race, race_lines, verdict
from colorizer.sweeps.search import Search
from colorizer.sweeps.search_settings import TrialState, optuna
from colorizer.sweeps.trial_texts import value_text

# Resamplings of the trials, and how many trials say something of importances.
DRAWS, ENOUGH = 100, 10

# Of the trials, the best so many are printed.
SHOWN = 5


def search_text(search: Search) -> str:
    """The best trials, what became of the others, the race, and the command of the best."""
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
    several = len(search.objectives) > 1
    lines = [
        [
            str(trial.number),
            *(value_text(trial.params.get(key, "")) for key in keys),
            *(_digits(value) for value in trial.values),
        ]
        for trial in (search.front() if several else ranked[:SHOWN])
    ]
    if several:
        text += "\n\nno trial is better in all of these than one of"
    text += f"\n\n{text_table(['trial', *keys, *search.objectives], lines)}"
    if shares := importances(search):
        lines = [[key, *(f"{share:.2f}" for share in three)] for key, three in shares.items()]
        text += f"\n\n{text_table(['importance', 'share', 'from', 'to'], lines)}"
    racers = Race(search).racers()
    if racers:
        text += f"\n\n{text_table(*race_lines(racers, search.monitor))}\n\n{verdict(racers)}"
    elif not several and len(ranked) > 1:
        text += (
            "\n\none seed does not say which trials cannot be told from the best: "
            "hydra.sweeper.seeds=5 races the best quarter"
        )
    best = racers[0].trial if racers else ranked[0]
    return f"{text}\n\nthe best again: {search.command(best)}"


def _digits(value: float) -> str:
    return f"{value:.6f}" if abs(value) < 100 else f"{value:.6g}"


def importances(search: Search, draws: int = DRAWS) -> dict[str, tuple[float, float, float]]:
    """How much of the trials' differences in the first objective is each parameter's, best first.

    PED-ANOVA (Watanabe et al. 2023), which shares 1 out between the parameters.

    Returns:
        The mean and the ends of the 95 % interval over resamplings of the complete trials; empty
        of fewer than `ENOUGH` trials, or of one parameter.
    """
    trials = [
        optuna.create_trial(
            params=trial.params, distributions=trial.distributions, value=trial.values[0]
        )
        for trial in search.ranked()
    ]
    if len(trials) < ENOUGH or len(search.parsed_space()) < 2:
        return {}
    random = np.random.default_rng(0)
    found: dict[str, list[float]] = {}
    for _ in range(draws):
        drawn = optuna.create_study(direction=search.direction)
        drawn.add_trials([trials[i] for i in random.integers(len(trials), size=len(trials))])
        with contextlib.suppress(RuntimeError, ValueError):  # all values are the same
            shares = optuna.importance.get_param_importances(
                drawn, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
            )
            for key, share in shares.items():
                found.setdefault(key, []).append(share)
    ends = {key: np.quantile(shares, (0.025, 0.975)) for key, shares in found.items()}
    means = {key: float(np.mean(shares)) for key, shares in found.items()}
    order = sorted(means, key=lambda key: -means[key])
    return {key: (means[key], float(ends[key][0]), float(ends[key][1])) for key in order}
