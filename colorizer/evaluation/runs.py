"""Scores the best run of a search."""

import torch

from colorizer.callbacks import ExamplePictures
from colorizer.evaluation.references import evaluate
from colorizer.evaluation.subjects import data_of
from colorizer.runs import EXAMPLES, Run


def test_run(run: Run) -> None:
    """Score a finished run on the test set, once, and write its pictures.

    With the threads of the run, so that the last bits are those of a training that tests itself.
    A search trains without: only its best run may touch the test set. A judge is tested by
    `colorizer judge`.

    Raises:
        UserError: see `data_of` and `Run.colorizer`.
    """
    if run.metrics("test") or not run.colorizes:
        return
    torch.set_num_threads(run.environment.get("threads", torch.get_num_threads()))
    data = data_of(run)
    colorizer = run.colorizer()
    record, pictures = evaluate(colorizer, data, "test", name=run.name)
    settings = (run.config.callbacks or {}).get("examples")
    if settings:
        folder = str((run.folder / EXAMPLES).parent)
        examples = ExamplePictures(folder, settings.images, settings.seed)
        examples.write_test(colorizer, data, (), torch.device("cpu"))
    run.add_evaluation(record, pictures)
    # Last, since it is what says that all of it is there.
    run.add_test(record.own.headline)
