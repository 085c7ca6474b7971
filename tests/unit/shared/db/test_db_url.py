"""A database URL that cannot be meant is refused without a part of its password."""

import pytest

from shared.db_url import normalise_url
from shared.errors import UserError


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@ssw0rd@localhost/x",
        "postgresql://u:p@ssw0rd@localhost:5432/x",
        "postgresql://u:p@ss/w0rd@localhost/x",
        "postgresql://u:p@ssw0rd:5@localhost/x",
        "postgresql://u:@p@ssw0rd@localhost/x",
    ],
)
def test_a_password_with_an_at_sign_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(UserError) as refused:
        normalise_url(url)
    assert "ss" not in str(refused.value).replace("password", "")
    assert "w0rd" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p%40ss@localhost/x",
        "postgresql://user@server:pass@localhost/x",
        "postgresql://u@localhost/x?application_name=a@b",
        "postgresql:///x",
    ],
)
def test_an_at_sign_that_cannot_be_mistaken_is_taken(url: str) -> None:
    assert normalise_url(url).database == "x"
