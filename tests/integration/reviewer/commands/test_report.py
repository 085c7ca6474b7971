"""`avis report` writes one HTML page on the quality of the texts."""

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from services.reviewer.commands.report.figures import TextReport, read_report
from services.reviewer.store import store
from shared.db.tables import unites_legales
from tests.integration.reviewer.reviewers import Finished, run_command

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register


def read(engine: Engine) -> TextReport:
    return read_report(engine, samples=20)


def report(database_url: str, out: Path) -> Finished:
    return run_command(database_url, "avis", "report", "--out", str(out))


def test_first_attempts_are_told_from_those_that_were_asked_for_again(
    register: "Register", desk: "Desk", engine: Engine
) -> None:
    good, again, never = desk.claim(register.add(range(1, 4)))
    asked_again = desk.result(again)
    first = replace(asked_again.attempts[0], model="small", reasons=("wrong_city", "rating"))
    given_up = desk.result(never, reasons=("near_duplicate",))
    store(
        engine,
        [
            desk.result(good),
            replace(asked_again, attempts=(first, asked_again.attempts[0])),
            given_up,
        ],
        sole_traders=False,
    )
    found = read(engine)
    assert found.outcomes == {"accepted": 2, "rejected": 1}
    assert found.reasons == {
        "near_duplicate": (1, 0, 0),
        "rating": (1, 0, 0),
        "wrong_city": (1, 0, 0),
    }
    names = ("texts", "accepted", "grounded", "duplicates")
    assert [sum(getattr(each, name) for each in found.firsts) for name in names] == [3, 1, 2, 1]
    assert [(each.model, each.texts, each.grounded) for each in found.firsts] == [
        ("test", 2, 2),
        ("small", 1, 0),
    ]
    assert found.fallbacks == 1, "the template came after a model"
    assert {model.model: model.attempts for model in found.models} == {"test": 3, "small": 1}
    assert sum(minute.attempts for minute in found.minutes) == 4
    assert sum(found.lengths.values()) == 2
    assert len(found.samples) == 2


def test_a_text_that_is_kept_although_near_is_told_and_is_no_rejection(
    register: "Register", desk: "Desk", engine: Engine
) -> None:
    desk.store(*desk.claim(register.add(range(1, 3))))
    register.execute(
        "UPDATE avis_attempts SET reasons = '{near_duplicate}' WHERE siren = '000000001'"
    )
    found = read(engine)
    assert (found.kept_near, found.accepted) == (1, 2)
    assert found.reasons == {}


def test_a_synthese_is_not_among_the_samples(
    register: "Register", desk: "Desk", engine: Engine
) -> None:
    desk.store(*desk.claim(register.add(range(1, 3))))
    assert len(read(engine).samples) == 2
    register.execute("UPDATE avis SET kind = 'synthese'")
    assert read(engine).samples == []


def test_usefulness_is_told_by_activity_with_what_is_held(
    register: "Register", desk: "Desk", engine: Engine
) -> None:
    desk.store(*desk.claim(register.add(range(1, 4))))
    register.execute("UPDATE avis SET held_because = 'fallback' WHERE siren = '000000001'")
    register.execute("UPDATE avis SET text = repeat('x', 300) WHERE siren = '000000002'")
    found = read(engine)
    assert found.held == {("notice", "fallback"): 1}
    [division] = found.usefulness
    assert (division.division, division.texts, division.short, division.held) == ("43", 3, 2, 1)
    assert division.facts > 2


def test_who_must_not_be_written_about_any_more_is_not_among_the_samples(
    register: "Register", desk: "Desk", engine: Engine
) -> None:
    desk.store(*desk.claim(register.add(range(1, 3))))
    register.change(unites_legales, register.siren(1), statut_diffusion="P")
    register.oppose(register.siren(2))
    assert read(engine).samples == []


def test_the_page_stands_alone_and_shows_a_stranger_s_name_as_text(
    register: "Register", desk: "Desk", database_url: str, tmp_path: Path
) -> None:
    ids = register.add(range(1, 2), denomination="<script>alert(1)</script>")
    desk.store(*desk.claim(ids))
    written = report(database_url, tmp_path / "page.html")
    assert written.returncode == 0, written.stderr
    assert (tmp_path / "page.html").stat().st_mode & 0o777 == 0o600, "it shows names"
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert page.count("<svg") == 4, "outcomes, throughput, first texts, lengths; nothing else was"
    links = set(re.findall(r"(?:src|href)=\"([^\"]*)\"", page))
    assert all(link.startswith("#") for link in links), "nothing is loaded from elsewhere"


def test_what_costs_and_is_refused_has_its_plots(
    register: "Register", desk: "Desk", database_url: str, tmp_path: Path
) -> None:
    desk.store(*desk.claim(register.add(range(1, 3))), reasons=("wrong_city",))
    register.execute("UPDATE avis SET outcome = 'pending'")
    desk.store(*desk.claim([row["id"] for row in register.rows("SELECT id FROM avis")]))
    register.execute("UPDATE avis_attempts SET cost_eur = 0.25")
    assert report(database_url, tmp_path / "page.html").returncode == 0
    page = (tmp_path / "page.html").read_text("utf-8")
    headings = (
        "Throughput", "First texts", "Reasons of rejections", "Length of the accepted texts",
        "Usefulness, by activity", "Cost", "2 of the accepted texts",
    )  # fmt: skip
    assert all(f"<h2>{heading}" in page for heading in headings)
    assert page.count("<svg") == 6


@pytest.mark.parametrize(
    ("has_avis", "out", "message"),
    [
        (False, "page.html", "there are no avis yet"),
        (True, "nowhere/page.html", "cannot write"),
    ],
)
def test_what_cannot_be_written_is_one_clear_line(  # fixtures and cases
    register: "Register",
    database_url: str,
    tmp_path: Path,
    has_avis: bool,
    out: str,
    message: str,
) -> None:
    if has_avis:
        register.add(range(1, 2))
    refused = report(database_url, tmp_path / out)
    assert refused.returncode == 2
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr
