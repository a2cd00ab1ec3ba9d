"""What a run keeps of its code and packages is enough to have them again."""

import json
import subprocess
from pathlib import Path

import pytest

from colorizer.errors import UserError
from colorizer.reproduction import rebuild_code
from colorizer.runs import Run, commit_of, keep_record, lock_of, not_kept, open_run, packages_of
from colorizer.runs.sources import MOST_FILE, own_files, uncommitted_in


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A checkout with a commit, and changes of every kind."""
    root = tmp_path / "repository"
    package = root / "colorizer"
    package.mkdir(parents=True)
    for name in ("changed.py", "removed.py", "staged.yaml", "table.csv"):
        (package / name).write_text("before\n")

    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b.example")
        subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message=first")
    (package / "changed.py").write_text("after ä\n")
    (package / "removed.py").unlink()
    (package / "staged.yaml").write_text("after\n")
    (package / "added.py").write_text("staged\n")
    git("add", "colorizer/staged.yaml", "colorizer/added.py")
    (package / "a new one.py").write_text("untracked\n")
    (package / "latin.py").write_bytes(b"# \xe4\n")
    (package / "large.py").write_text("#" * (MOST_FILE + 1))
    (package / "table.csv").write_text("data\n")
    (package / "images.npz").write_bytes(bytes(100))
    (root / "notes.py").write_text("of no use to a run\n")
    return root


def test_what_is_not_committed_is_kept(
    repository: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the repository, its index included, is left as it was."""
    status = ["git", "-C", str(repository), "status", "--porcelain"]
    before = subprocess.run(status, capture_output=True, check=True).stdout
    state = uncommitted_in(repository)
    assert subprocess.run(status, capture_output=True, check=True).stdout == before
    assert state.dirty
    left = ("images.npz", "large.py", "table.csv")
    assert state.left_out == tuple(f"colorizer/{name}" for name in left)
    assert b"of no use" not in state.patch

    keep_record(open_run(trained), tmp_path / "run")
    run = open_run(tmp_path / "run")
    run.environment["git"] = {"commit": state.commit, "dirty": True, "left_out": list(left)}
    assert not_kept(run) == [f"{name} was changed, and is not kept" for name in left]
    with_other_code = Run(run.folder, run.config, {**run.status, "code": "another"})
    assert "resume=anyway" in not_kept(with_other_code)[-1]
    (tmp_path / "run" / "code.patch").write_bytes(state.patch)
    rebuild_code(run, repository, tmp_path / "code")
    for name in ("changed.py", "removed.py", "staged.yaml", "added.py", "a new one.py", "latin.py"):
        there, again = (root / "colorizer" / name for root in (repository, tmp_path / "code"))
        assert there.exists() == again.exists(), name
        assert not there.exists() or there.read_bytes() == again.read_bytes(), name
    assert (tmp_path / "code" / "colorizer" / "table.csv").read_text() == "before\n"


def test_code_that_is_not_to_be_had(trained: Path, tmp_path: Path, repository: Path) -> None:
    run = open_run(trained)
    with pytest.raises(UserError, match=r"is not in .*repository: fetch it"):
        rebuild_code(run, repository, tmp_path / "code")
    run.environment["git"] = None
    with pytest.raises(UserError, match="names no commit"):
        commit_of(run)
    run.environment["git"] = {"commit": "--upload-pack=touch x", "dirty": False}
    with pytest.raises(UserError, match="is no commit"):
        commit_of(run)


def test_a_users_own_modules_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("own_package/__init__.py", "own_package/part.py", "own_package/images.npz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "own_module.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = own_files(["own_package.part", "own_module", "colorizer.models.cnn"])
    assert sorted(found) == ["own_module.py", "own_package/__init__.py", "own_package/part.py"]


def test_the_lock_has_every_package(trained: Path, tmp_path: Path) -> None:
    run = open_run(trained)
    versions = packages_of(run)
    assert versions["torch"].split("+")[0] == run.environment["packages"]["torch"].split("+")[0]
    assert {"pytest", "ruff"} < versions.keys()  # nobody requires them
    assert "colorizer" not in versions
    keep_record(run, tmp_path / "record")
    lock = tmp_path / "record" / "requirements.txt"
    assert lock_of(open_run(tmp_path / "record")) == lock_of(run)
    lock.write_text(f"--index-url=elsewhere\n{lock.read_text()}")
    with pytest.raises(UserError, match="NAME==VERSION is asked for"):
        lock_of(open_run(tmp_path / "record"))
    lock.unlink()
    environment = json.loads((tmp_path / "record" / "environment.json").read_text())
    assert packages_of(open_run(tmp_path / "record")) == environment["packages"]
