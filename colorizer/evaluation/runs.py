"""Scores the best run of a search."""

from colorizer.evaluation.references import evaluate
from colorizer.evaluation.subjects import data_of
from colorizer.pictures import colorize_examples, random_indices
from colorizer.runs import EXAMPLES, Run


def test_run(run: Run) -> None:
    """Score a finished run on the test set, once, and write its pictures.

    A search trains without: only its best run may touch the test set. A judge is tested by
    `colorizer judge`.

    Raises:
        UserError: see `data_of` and `Run.colorizer`.
    """
    if run.metrics("test") or not run.colorizes:
        return
    data = data_of(run)
    colorizer = run.colorizer()
    record, pictures = evaluate(colorizer, data, "test", name=run.name)
    run.add_evaluation(record, pictures)
    run.add_test(record.own.headline)
    settings = (run.config.callbacks or {}).get("examples")
    if settings:
        images = data.split("test").images
        indices = random_indices(len(images), settings.images, settings.seed)
        device = next(iter(colorizer.parameters())).device
        examples = colorize_examples(colorizer, images[indices], device)
        examples.save(run.folder / EXAMPLES)
        examples.picture().save((run.folder / EXAMPLES).with_suffix(".png"))
