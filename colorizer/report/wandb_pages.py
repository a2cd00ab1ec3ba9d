"""A study's pages in Weights & Biases, as code: a workspace and a report.

Both show the groups of our own tables: what was varied is what W&B groups by, so that a line or a
bar is a mean over seeds. `wandb-workspaces` describes them; `send` hands them over.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from colorizer.console import last_line, markdown_table
from colorizer.errors import UserError, not_installed
from colorizer.files import write_json
from colorizer.metrics.tables import style_of
from colorizer.report.summary import Summary
from colorizer.report.table import Table
from colorizer.tracking import CHOICES

try:
    import wandb_workspaces.reports.v2 as reports
    import wandb_workspaces.workspaces as workspaces
except ImportError as error:
    raise UserError(not_installed("wandb-workspaces", "workspaces")) from error

# Over the seeds of a group.
OVER_SEEDS = {"groupby_aggfunc": "mean", "groupby_rangefunc": "stddev"}

# W&B's limit.
LONGEST_TITLE = 128


@dataclass
class WandbPages:
    """The pages of the runs in a table.

    Args:
        title: of the pages.
        table: of runs with the same data.
        entity: of W&B: a user or a team; empty: the default of whoever is logged in.
        project: None: the one that the runs were logged in.

    Raises:
        UserError: the runs were not logged in W&B, or in several projects.
    """

    title: str
    table: Table
    entity: str
    project: str

    @classmethod
    def of(
        cls, summary: Summary, title: str, entity: str | None = None, project: str | None = None
    ) -> list["WandbPages"]:
        """The pages of each table of a summary.

        Raises:
            UserError: runs that were not logged in W&B, or in several projects.
        """
        entity = entity or os.environ.get("WANDB_ENTITY", "")
        pages = []
        for table in summary.tables:
            projects = {str(logger.get("project")) for logger in _loggers(table)}
            if not projects:
                raise UserError("none of these runs was logged in W&B: train with logger=wandb")
            if not project and len(projects) > 1:
                raise UserError(f"the runs are in several projects: --project {min(projects)}")
            name = title if len(summary.tables) == 1 else f"{title}: {table.title}"
            pages.append(cls(name[:LONGEST_TITLE], table, entity, project or min(projects)))
        return pages

    # --- what both pages show ---

    @cached_property
    def filters(self) -> str:
        """The runs, by the study's name, which they have as their group; else by their numbers."""
        groups = {logger.get("group") for logger in _loggers(self.table)}
        if len(groups) == 1 and (name := groups.pop()):
            return f"Group = '{name}' and State = 'finished'"
        numbers = [str(run.status.get("tracker_id")) for run in _runs(self.table)]
        return f"ID in {numbers}"

    @cached_property
    def settings(self) -> list[str]:
        """What was varied beside the seed, as W&B's config calls it."""
        chosen = {key for run in _runs(self.table) for key in run.environment.get("choices", {})}
        return [f"{CHOICES}.{key}" if key in chosen else key for key in self.table.groups.keys]

    @cached_property
    def logged(self) -> list[str]:
        """The losses, their terms and the learning rate."""
        found = {key for run in _runs(self.table) for key in run.history()}
        return sorted(key for key in found if key.startswith("train/")) or ["train/loss"]

    @property
    def ascending(self) -> bool:
        """Whether the monitored metric is better where it is lower."""
        return str(_runs(self.table)[0].config.monitor_mode) != "max"

    def panels(self) -> dict[str, list[Any]]:
        """Panels by the title of their section."""
        groups = self.table.groups
        # By several settings W&B groups the table of runs, which its panels follow.
        one = {"groupby": reports.Config(self.settings[0])} if len(self.settings) == 1 else {}
        by: dict[str, Any] = {**one, **OVER_SEEDS}
        scores: list[Any] = [
            reports.BarPlot(title=_title(name), metrics=[reports.SummaryMetric(name)], **by)
            for name in groups.metrics
        ]
        curves: list[Any] = [
            reports.LinePlot(title=name, x="epoch", y=[name], log_y="loss" in name, **by)
            for name in (groups.monitor, *self.logged)
        ]
        columns = [reports.Config(key) for key in self.settings]
        varied: list[Any] = [
            reports.ParallelCoordinatesPlot(
                columns=[
                    *(reports.ParallelCoordinatesPlotColumn(metric=column) for column in columns),
                    reports.ParallelCoordinatesPlotColumn(
                        metric=reports.SummaryMetric(groups.monitor), inverted=self.ascending
                    ),
                ]
            ),
            reports.ParameterImportancePlot(with_respect_to=groups.monitor),
        ]
        pictures: list[Any] = [
            reports.MediaBrowser(
                media_keys=["examples/test", "examples/val"],
                mode="grid",
                grid_x_axis="step",
                grid_y_axis="run",
            )
        ]
        return {
            "Scores": scores,
            "Learning curves": curves,
            **({"What was varied": varied} if columns else {}),
            "Pictures": pictures,
        }

    # --- the pages ---

    def workspace(self) -> Any:
        """A view of the project: the runs in groups, and panels in sections."""
        monitor = self.table.groups.monitor
        return workspaces.Workspace(
            entity=self.entity,
            project=self.project,
            name=self.title,
            sections=[
                workspaces.Section(name=name, panels=panels, is_open=True)
                for name, panels in self.panels().items()
            ],
            settings=workspaces.WorkspaceSettings(x_axis="epoch", max_runs=100),
            runset_settings=workspaces.RunsetSettings(
                filters=self.filters,
                groupby=[workspaces.Config(key) for key in self.settings],
                order=[workspaces.Ordering(workspaces.Summary(monitor), ascending=self.ascending)],
                pinned_columns=[
                    *(f"config:{key}" for key in (*self.settings, "seed")),
                    *(f"summary:{name}" for name in self.table.groups.metrics),
                ],
            ),
        )

    def report(self) -> Any:
        """A report: our tables as text, and the same panels below."""
        monitor = self.table.groups.monitor
        runs = reports.Runset(  # of the report's own project, which is looked up where it is sent
            name=self.title,
            filters=self.filters,
            groupby=[f"config.{key}" for key in self.settings],
            order=[reports.OrderBy(reports.SummaryMetric(monitor), ascending=self.ascending)],
        )
        blocks: list[Any] = [
            reports.MarkdownBlock(text=self.table.render(markdown_table)),
            reports.P(
                "The table is of the weights that were chosen by the monitored metric; the panels "
                "show what W&B has: of a validation metric, the last epoch's."
            ),
        ]
        for name, panels in self.panels().items():
            blocks += [reports.H2(name), reports.PanelGrid(runsets=[runs], panels=panels)]
        return reports.Report(
            project=self.project, entity=self.entity, title=self.title, blocks=blocks
        )

    def specification(self) -> dict[str, Any]:
        """Both pages as JSON takes them, as W&B is sent them."""
        workspace, report = (page._to_model() for page in (self.workspace(), self.report()))
        dumped = [
            page.model_dump(mode="json", by_alias=True, exclude_none=True)
            for page in (workspace, report)
        ]
        return dict(zip(("workspace", "report"), dumped, strict=True))

    def send(self) -> list[str]:
        """Make both pages in W&B; gives back their addresses.

        Raises:
            UserError: W&B does not take them, or cannot be reached.
        """
        try:
            return [str(page.save().url) for page in (self.workspace(), self.report())]
        except Exception as error:  # of many kinds: no key, no network, no such project
            raise UserError(f"W&B: {last_line(error)}") from error


def write_specifications(pages: Sequence[WandbPages], path: Path) -> None:
    """Write the pages as JSON."""
    write_json(path, [page.specification() for page in pages])


def _runs(table: Table) -> list[Any]:
    return [row.run for row in table.runs if row.run]


def _loggers(table: Table) -> list[Any]:
    """The settings of the runs' W&B loggers."""
    return [
        logger
        for run in _runs(table)
        for logger in (run.config.get("logger") or {}).values()
        if logger and str(logger.get("_target_", "")).endswith(".WandbLogger")
    ]


def _title(metric: str) -> str:
    split, _, name = metric.partition("/")
    return f"{split} {style_of(name)[0]}"
