import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from colorizer.color import luma
from colorizer.data import CIFAR10
from colorizer.errors import UserError
from colorizer.pictures import to_bytes
from colorizer.serve.answers import Answers
from colorizer.serve.fooling import Fooling
from colorizer.serve.offered import Offered
from colorizer.serve.pairs import ForcedChoice
from colorizer.serve.two_afc import Answer, Session, plan
from tests.conftest import Here


def said(trial: int, chosen: str, **more: Any) -> dict[str, Any]:
    return {"trial": trial, "chosen": chosen, "shown_ms": 1000.1, "answer_ms": 640, **more}


def session(seed: int, colorizer: str, fooled: int, checks_right: int) -> Session:
    """A complete one of 10 practice, 40 pairs and 4 checks, with so many of each answered so."""
    made = Session(seed, colorizer, "0" * 16, plan(seed, 1000, range(500)))
    left = {"pair": fooled, "check": 4 - checks_right, "practice": 0}
    for trial in made.trials:
        wrong = left[trial.kind] > 0
        left[trial.kind] -= wrong
        other = "left" if trial.real == "right" else "right"
        assert made.answer(said(made.position, other if wrong else trial.real))
    return made


def test_a_plan_is_of_practice_then_of_pairs_among_which_there_are_checks() -> None:
    trials = plan(3, 10_000, range(5000, 6000))
    kinds = [trial.kind for trial in trials]
    assert kinds[:10] == ["practice"] * 10
    assert Counter(kinds[10:]) == {"pair": 40, "check": 4}
    assert kinds[-4:] != ["check"] * 4
    assert len({trial.image for trial in trials}) == 54
    assert all(5000 <= trial.image < 6000 for trial in trials if trial.kind == "check")


def test_sides_are_random_and_of_the_seed() -> None:
    assert plan(3, 1000, range(9)) == plan(3, 1000, range(9))
    assert plan(3, 1000, range(9)) != plan(4, 1000, range(9))
    sides = Counter(t.real for seed in range(100) for t in plan(seed, 1000, range(9)))
    # 5,400 tosses: 5 standard deviations are 184.
    assert abs(sides["left"] - sides["right"]) < 2 * 184


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        said(1, "left"),
        said(0, "middle"),
        said(0, "left", shown_ms=float("nan")),
        said(0, "left", answer_ms=-1),
        said(0, "left", answer_ms="soon"),
        {"trial": 0, "chosen": "left"},
    ],
)
def test_what_is_no_answer_to_the_pair_is_not_taken(wrong: Any) -> None:
    made = Session(0, "mine", "0" * 16, plan(0, 100, range(50), pairs=4))
    assert made.answer(wrong) is None
    assert made.position == 0
    assert made.answer(said(0, "left"))
    assert made.answer(said(0, "left")) is None  # the second of two clicks


def test_answers_come_back_from_their_file(tmp_path: Path) -> None:
    file = Answers(tmp_path / "new" / "people.jsonl")
    file.check()
    assert not file.path.exists()
    given = session(0, "mine", 3, 4).given
    for answer in given[:5]:
        file.add(answer)
    # As a machine leaves it whose power is cut, and as an editor does.
    with file.path.open("a") as text:
        text.write('{"format": 1, "sess')
    for answer in given[5:]:
        Answers(file.path).add(answer)
    with file.path.open("a") as text:
        text.write(json.dumps({**given[0], "chosen": "middle"}) + "\n[1]\n\n")
    assert file.read() == (given, 3)


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write to"):
        Answers(tmp_path / "file" / "people.jsonl").check()
    with pytest.raises(UserError, match=r"cannot write to /dev/full: No space left"):
        Answers(Path("/dev/full")).add(session(0, "mine", 0, 4).given[0])


def test_rates_are_of_complete_sessions_of_people_who_looked() -> None:
    sessions = [
        *(session(seed, "mine", fooled, 4) for seed, fooled in enumerate((4, 16, 10))),
        session(4, "mine", 40, 2),
        session(5, "other", 20, 3),
    ]
    answers: list[Answer] = [answer for made in sessions for answer in made.given]
    answers += session(6, "other", 40, 4).given[:-1]
    found = Fooling.of(answers)
    assert (found.unfinished, found.inattentive) == (1, 1)
    other, mine = found.rates
    assert (other.colorizer, other.percent, other.checks) == ("other", 50.0, (3, 4))
    assert (mine.percent, mine.pairs, mine.checks) == (25.0, [40] * 3, (12, 12))
    # Of 30 in 120, by Wilson's formula.
    assert mine.wilson == pytest.approx((18.10, 33.45), abs=0.05)
    assert mine.bootstrap
    low, high = mine.bootstrap
    assert 10 <= low < 25 < high <= 40
    assert other.bootstrap is None


def test_other_weights_of_the_same_name_have_a_row_of_their_own() -> None:
    first, second = session(0, "mine", 1, 4).given, session(1, "mine", 2, 4).given
    for answer in second:
        answer["weights"] = "1" * 16
    names = [rate.colorizer for rate in Fooling.of(first + second).rates]
    assert names == [f"mine ({'1' * 16})", f"mine ({'0' * 16})"]


def test_the_table(tmp_path: Path, here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    file = Answers(tmp_path / "people.jsonl")
    for answer in [*session(0, "mine", 10, 4).given, *session(1, "mine", 10, 0).given]:
        file.add(answer)
    assert here("serve", "--table", str(file.path)) == 0
    printed = capsys.readouterr()
    row = printed.out.splitlines()[2].split()
    assert row == ["mine", "1", "40", "25.0", "14.2", "to", "40.2", "4/4"]
    assert printed.err == "left out: 1 session with fewer than 3 in 4 checks right\n"
    assert here("serve", "--table", "nothing.jsonl") == 2
    assert "there is no file of answers nothing.jsonl" in capsys.readouterr().err


@pytest.mark.cifar10
def test_a_session_shows_real_images_beside_coloured_and_gray_ones(
    cifar10: CIFAR10, tmp_path: Path
) -> None:
    images = cifar10.split("test").images[:2000]
    offered, answers = Offered(), Answers(tmp_path / "people.jsonl")
    choice = ForcedChoice(images, offered, answers, pairs=4)
    assert choice.lengths == (1, 5)
    pairs = choice.start()
    assert pairs.session.colorizer == offered.names[0]
    colorizer = offered.colorizer(pairs.session.colorizer)
    for trial in pairs.session.trials:
        shown = pairs.current()
        true = images[trial.image][None].float() / 255
        with torch.no_grad():
            made = luma(true) if trial.kind == "check" else colorizer(luma(true))
        real, other = pairs.images(pairs.session.position)
        assert torch.equal(real, images[trial.image])
        difference = to_bytes(made)[0].int() - other.int()
        assert difference.abs().max() <= 1  # of another batch
        assert shown["left"] != shown["right"]
        answer = pairs.session.answer(said(shown["trial"], trial.real))
        assert answer
        answers.add(answer)
    # The next has another colorizer and other images, also after a new start of the server.
    following = ForcedChoice(images, offered, answers, pairs=4).start().session
    assert following.colorizer == offered.names[1]
    assert following.seed == 1
    assert following.trials != pairs.session.trials


def test_impossible_sessions(tmp_path: Path) -> None:
    answers, images = Answers(tmp_path / "none"), torch.zeros(10, 3, 32, 32, dtype=torch.uint8)
    with pytest.raises(UserError, match="pairs=0: from 1 to 500"):
        ForcedChoice(images, Offered(), answers, pairs=0)
    with pytest.raises(UserError, match="seed=-1: 0 or more"):
        ForcedChoice(images, Offered(), answers, seed=-1)
