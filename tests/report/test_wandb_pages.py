"""A study's workspace and report in W&B, as they would be sent; on committed records."""

import json
from pathlib import Path
from typing import Any

import pytest

from colorizer.cli import main
from colorizer.report import summary_of
from colorizer.runs import open_run
from tests.commands.test_train import wandb_summary
from tests.conftest import JOB, Here

pytest.importorskip("wandb_workspaces")

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
STUDY = EXPERIMENTS / "passthrough" / "runs"

# Logged in W&B, as those of the study were not.
LOGGED = EXPERIMENTS / "colorizers" / "seeds"


@pytest.fixture(scope="module")
def pages() -> Any:
    from colorizer.report.wandb_pages import WandbPages

    summary = summary_of([STUDY])
    logger = open_run(LOGGED / "fast-seed=1").config.logger
    for _, run in summary.rows():
        run.config.logger = logger
        run.config.logger.wandb.group = run.config.group
    (found,) = WandbPages.of(summary, "passthrough", "team")
    return found


def all_of(node: Any, key: str) -> list[Any]:
    """The values of a key, at any depth."""
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    own = [node[key]] if isinstance(node, dict) and key in node else []
    return own + [value for child in below for value in all_of(child, key)]


def test_both_show_the_groups_of_our_tables(pages: Any) -> None:
    """The runs of the study, by what was varied, the best first."""
    assert pages.settings == ["model.passthrough"]
    for name, page in pages.specification().items():
        text = json.dumps(page)
        assert "passthrough" in str(all_of(page, "displayName")), name
        for filters in all_of(page, "filters"):
            assert {"section": "run", "name": "group"} in all_of(filters, "key")
        (grouped,) = all_of(page, "grouping")[0]
        assert grouped == {"section": "config", "name": "model.value.passthrough"}
        assert all_of(page, "groupBy")[0] == "model.value.passthrough"
        assert '"summary"' in text
        assert "val/mse" in text
        assert all_of(page, "groupAgg")[0] == "mean"
        assert all_of(page, "groupArea")[0] == "stddev"
        assert ["examples/test", "examples/val"] in all_of(page, "mediaKeys")


def test_the_report_has_our_tables(pages: Any) -> None:
    report = pages.specification()["report"]
    text = json.dumps(report, ensure_ascii=False)
    for group in pages.table.groups.lines():
        for cell in group:
            assert cell in text
    assert "difference to the best, seed by seed" in text


@pytest.mark.slow
def test_a_choice_of_a_file_is_grouped_by_its_name(here: Here) -> None:
    """W&B's config has it under `choices`, as a run logs it: a model is no one value there."""
    from colorizer.report.wandb_pages import WandbPages

    jobs = [part for part in JOB if part not in ("model=linear", "logger=none")]
    jobs += ["representation=rgb", "test=false", "group=s"]
    for model, rate, logger in (("linear", "1e-3", "wandb"), ("cnn", "1e-4", "none")):
        own = (f"model={model}", f"optimizer.lr={rate}", f"logger={logger}")
        assert here("train", *jobs, *own, f"hydra.run.dir=runs/{model}") == 0
    (found,) = WandbPages.of(summary_of([Path("runs")]), "s")
    assert found.settings == ["choices.model", "optimizer.lr"]
    logged = wandb_summary(Path("runs/linear"))["config"]
    assert (logged["choices"]["model"], logged["optimizer"]["lr"]) == ("linear", 1e-3)
    # By several settings the table of runs is grouped, which the panels follow.
    page = found.specification()["workspace"]
    assert [key["name"] for key in all_of(page, "grouping")[0]] == [
        "choices.value.model",
        "optimizer.value.lr",
    ]
    assert all_of(page, "groupBy") == []


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Offline they are written; what is written is read by W&B's own classes."""
    from wandb_workspaces.reports.v2.internal import ReportViewspec

    output = ["-o", str(tmp_path / "report.html")]
    assert main(["report", str(LOGGED), *output, "--wandb", "--project", "mine"]) == 0
    printed = capsys.readouterr().out
    assert "WANDB_MODE=online makes them in W&B" in printed
    (page,) = json.loads((tmp_path / "wandb-pages.json").read_text())
    assert ReportViewspec.model_validate(page["report"]).project.name == "mine"


def test_runs_that_were_not_logged_there() -> None:
    from colorizer.errors import UserError
    from colorizer.report.wandb_pages import WandbPages

    with pytest.raises(UserError, match="none of these runs was logged in W&B"):
        WandbPages.of(summary_of([STUDY]), "x")
