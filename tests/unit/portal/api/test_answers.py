"""A copy is validated as RFC 9110 says."""

import pytest

from services.portal.api.answers import has_copy


@pytest.mark.parametrize("sent", ['"abc"', 'W/"abc"', '"x", "abc"', "*", '"x",W/"abc"'])
def test_the_same_validator_is_a_copy(sent: str) -> None:
    assert has_copy(sent, '"abc"')


@pytest.mark.parametrize("sent", ["", "abc", '"ABC"', '"x"', '"ab', ","])
def test_any_other_is_none(sent: str) -> None:
    assert not has_copy(sent, '"abc"')
