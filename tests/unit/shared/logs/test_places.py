"""An error's name and places, without its words."""

import re

import pytest
from pydantic import ValidationError

from shared.errors import UserError
from shared.logs import name_of, places_of
from shared.settings import ServiceSettings, load
from tests.sqlstates import error_with, server_error


def test_the_projects_own_lines_are_named_and_the_innermost_is_last() -> None:
    with pytest.raises(UserError) as raised:
        load(ServiceSettings, metrics_port=-1)
    outer, inner = places_of(raised.value)
    assert re.fullmatch(r"tests/unit/shared/logs/test_places\.py:\d+", outer)
    assert re.fullmatch(r"shared/settings\.py:\d+", inner)


def test_lines_of_libraries_are_left_out() -> None:
    with pytest.raises(ValidationError) as raised:
        ServiceSettings(metrics_port=-1)
    assert len(places_of(raised.value)) == 1


def test_an_error_that_was_never_raised_has_no_places() -> None:
    assert places_of(ValueError("DUPONT")) == []


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (error_with("55P03"), "DBAPIError 55P03"),
        (server_error("57014", "DUPONT"), "ServerError 57014"),
        (ValueError("DUPONT"), "ValueError"),
    ],
)
def test_the_name_of_an_error_is_its_class_with_its_sqlstate(error: Exception, name: str) -> None:
    assert name_of(error) == name
