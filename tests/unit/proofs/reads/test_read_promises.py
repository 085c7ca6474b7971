from dataclasses import replace
from pathlib import Path

import pytest

from tests.proofs.reads import plots
from tests.proofs.reads.answers import IndexLag, ReadAnswer, ReadKind, ReadRun
from tests.proofs.reads.promises import figures_of, judge_reads
from tests.proofs.reads.register import PageState

_SLUG = "moulin-bordeaux-00000001800001"
_TEXT = "Moulin, c'est un atelier."
_BODY = '<p class="text">Moulin, c&#39;est un atelier.</p><p class="label">IA</p>'
_SHOWN = PageState(_SLUG, True, [_TEXT])


def _sound() -> ReadRun:
    answers = [
        ReadAnswer(kind, float(at), 200, 5.0, is_stale=False)
        for kind in ReadKind
        for at in range(9)
    ]
    return ReadRun(answers, [IndexLag(1.0, 0.4)], erasures=3)


def _broken(run: ReadRun) -> set[str]:
    return {each.name for each in judge_reads(run) if not each.kept}


def test_a_sound_run_keeps_every_promise() -> None:
    assert _broken(_sound()) == set()


@pytest.mark.parametrize(
    ("answer", "promise"),
    [
        (ReadAnswer(ReadKind.PAGE, 1.0, 200, 5.0, is_stale=True), "stale answers"),
        (ReadAnswer(ReadKind.PAGE, 1.0, 503, 5.0, is_stale=False), "answers of 5xx, or none"),
        (ReadAnswer(ReadKind.PAGE, 1.0, 0, 5.0, is_stale=False), "answers of 5xx, or none"),
        (
            ReadAnswer(ReadKind.FEED, 1.0, 429, 5.0, is_stale=False),
            "refused answers (4xx but 404, 410)",
        ),
        (ReadAnswer(ReadKind.SEARCH, 1.0, 200, 51.0, is_stale=False), "search, p95"),
        (ReadAnswer(ReadKind.PAGE, 1.0, 200, 51.0, is_stale=False), "page, p95"),
    ],
)
def test_one_bad_answer_breaks_its_promise(answer: ReadAnswer, promise: str) -> None:
    run = _sound()
    assert _broken(replace(run, answers=[*run.answers, answer])) == {promise}


@pytest.mark.parametrize(
    ("run", "promise"),
    [
        (replace(_sound(), lags=[IndexLag(1.0, 5.1)]), "lag of the index, p95"),
        (replace(_sound(), lags=[]), "lag of the index, p95"),
        (replace(_sound(), erasures=0), "erasures beside the readers"),
        (
            replace(_sound(), answers=_sound().answers[:-9]),
            "kinds of reads that were never asked",
        ),
    ],
)
def test_a_run_that_shows_nothing_keeps_no_promise(run: ReadRun, promise: str) -> None:
    assert promise in _broken(run)


@pytest.mark.parametrize(
    ("state", "status", "body", "fits"),
    [
        (_SHOWN, 200, _BODY, True),
        (_SHOWN, 304, _BODY, True),
        (_SHOWN, 200, "", False),
        (_SHOWN, 410, "", False),
        (_SHOWN._replace(texts=["Another text."]), 200, _BODY, False),
        (_SHOWN._replace(texts=None), 200, _BODY, False),
        (_SHOWN._replace(texts=None), 200, "<h1>Moulin</h1>", True),
        (_SHOWN._replace(is_shown=False), 200, _BODY, False),
        (_SHOWN._replace(is_shown=False), 304, _BODY, False),
        (_SHOWN._replace(slug="etablissement-bordeaux-00000001800001"), 200, _BODY, False),
        (_SHOWN._replace(slug="etablissement-bordeaux-00000001800001"), 410, "", True),
    ],
)
def test_a_page_fits_what_was_committed_or_it_is_stale(
    state: PageState, status: int, body: str, fits: bool
) -> None:
    assert state.fits(_SLUG, status, body) is fits


def test_a_run_is_the_same_after_its_file(tmp_path: Path) -> None:
    _sound().write(tmp_path / "reads.json")
    assert ReadRun.read(tmp_path / "reads.json") == _sound()


def test_a_run_is_told_in_figures_and_plots() -> None:
    figures = figures_of(_sound())
    assert figures["search"] == {"answers": 9, "p50_ms": 5.0, "p95_ms": 5.0, "p99_ms": 5.0}
    drawn = (plots.answer_times(_sound()), plots.index_lag(_sound()))
    assert all(each.startswith("<svg") for each in drawn)
