"""A database URL names one server or several; one that cannot be meant shows no password."""

import pytest

from shared.db_url import database_address, normalise_url, servers_of, with_login_of
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


_TWO = [("h1", 5432), ("h2", 5433)]


@pytest.mark.parametrize(
    ("url", "servers"),
    [
        ("postgresql://u:p@h1:5432,h2:5433/x?target_session_attrs=read-write", _TWO),
        ("postgresql://u:p@h1,h2:5433/x", _TWO),
        ("postgresql://u:p@/x?host=h1,h2&port=5432,5433", _TWO),
        ("postgresql+psycopg2://u:p@/x?host=h1:5432&host=h2:5433", _TWO),
        ("postgresql://h1,h2/x?port=7", [("h1", 7), ("h2", 7)]),
        ("postgresql://u:p@[::1]:5433,h2/x", [("::1", 5433), ("h2", 5432)]),
        ("postgresql://u:p,q@h1/x", [("h1", 5432)]),
        ("postgresql:///x?host=/run&port=7", [("/run", 7)]),
        ("postgresql:///x", [("", 5432)]),
    ],
)
def test_both_spellings_name_the_servers(url: str, servers: list[tuple[str, int]]) -> None:
    parsed = normalise_url(url)
    assert servers_of(parsed) == servers
    assert normalise_url(parsed.render_as_string(hide_password=False)) == parsed
    assert database_address(parsed) == database_address(url) == (tuple(servers), "x")


def test_of_several_servers_the_one_that_takes_writes_is_meant_unless_the_url_says_so() -> None:
    assert normalise_url("postgresql://h1,h2/x").query["target_session_attrs"] == "read-write"
    standby = normalise_url("postgresql://h1,h2/x?target_session_attrs=standby")
    assert standby.query["target_session_attrs"] == "standby"
    assert "target_session_attrs" not in normalise_url("postgresql://h1/x").query


def test_a_shard_on_several_servers_takes_the_login_of_the_control_database() -> None:
    completed = with_login_of("postgresql://u:p@h1,h2/control", "postgresql://h3,h4:7/shard")
    assert normalise_url(completed).username == "u"
    assert servers_of(normalise_url(completed)) == [("h3", 5432), ("h4", 7)]


@pytest.mark.parametrize(
    "url", ["postgresql://u:hunter2@h1,h2/x?port=1,2,3", "postgresql://u:hunter2@h1:x1,h2/x"]
)
def test_ports_that_fit_no_host_are_refused_without_the_password(url: str) -> None:
    with pytest.raises(UserError, match="the database URL names") as refused:
        normalise_url(url)
    assert "hunter2" not in str(refused.value)
