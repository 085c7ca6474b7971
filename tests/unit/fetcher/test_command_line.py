import pytest
from typer.testing import CliRunner

from services.fetcher.__main__ import app
from shared.errors import UserError


@pytest.mark.parametrize("limit", ["0", "-1", "1000000001", "1" + "0" * 30])
def test_an_absurd_limit_is_refused(limit: str) -> None:
    result = CliRunner().invoke(app, ["import", "--departement", "33", "--limit", limit])
    assert isinstance(result.exception, UserError)
    assert f"--limit {limit} makes no sense" in str(result.exception)
