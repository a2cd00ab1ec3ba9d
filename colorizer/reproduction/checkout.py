"""The code of a run, checked out again."""

import shutil
import subprocess
from pathlib import Path

from colorizer.errors import UserError, shown
from colorizer.runs import PATCH, Run, commit_of, git

# What of a checkout is needed to install the package and to run it.
NEEDED = ("/colorizer/", "/conf/", "/hydra_plugins/", "/pyproject.toml", "/README.md", "/LICENSE")


def rebuild_code(run: Run, repository: Path, folder: Path) -> None:
    """Check the code of a run out: its commit, and on top of it what was not committed.

    Args:
        run: with a commit on record.
        repository: which has the commit; it is read only.
        folder: of the checkout; what is there is replaced. Its objects stay the repository's.

    Raises:
        UserError: there is no such commit, or the patch does not fit it.
    """
    commit = commit_of(run)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        git(repository, "cat-file", "-e", f"{commit}^{{commit}}")
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(
            f"the commit {commit[:12]} of {run.folder} is not in {repository}: fetch it, or name "
            "a repository that has it with --repository"
        ) from error
    top = git(repository, "rev-parse", "--show-toplevel").decode().strip()
    patch = (run.folder / PATCH).absolute()
    try:
        git(Path(top), "clone", "--quiet", "--shared", "--no-checkout", top, str(folder))
        git(folder, "sparse-checkout", "set", "--no-cone", *NEEDED)
        git(folder, "checkout", "--quiet", "--detach", commit)
        if patch.is_file():
            git(folder, "apply", "--whitespace=nowarn", str(patch))
    except subprocess.CalledProcessError as error:
        why = shown(error.stderr.decode(errors="replace").strip(), most=300)
        raise UserError(f"the code of {run.folder} cannot be checked out: {why}") from error
