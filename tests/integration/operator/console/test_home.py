"""The home shows the last look: state, today, quota, freshness, alerts and money."""

import pytest
from sqlalchemy import Engine, text

from tests.conditions import wait_until
from tests.integration.operator.console.conftest import LogIn


def test_an_idle_register_says_so(log_in: LogIn) -> None:
    visitor = log_in("reader")
    wait_until(lambda: "Au repos" in visitor.get("/").words, seconds=20)
    words = visitor.get("/").words
    assert "sur 35 000" in words
    assert "Aucune alerte" in words or "Alertes qui sonnent" in words


def test_what_waits_and_what_came_is_shown(log_in: LogIn, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO import_runs (departements, status, per_day)
                VALUES ('{33}', 'running', 20000);
                INSERT INTO insee_requests (key_fingerprint, granted_at, records, http_status)
                VALUES ('k', now(), 734, 200);
                INSERT INTO failed_items (kind, key, code, message)
                SELECT 'write', lpad(i::text, 14, '0'), 'invalid_date', 'x'
                FROM generate_series(1, 12) i
            """)
        )
    visitor = log_in("reader")
    wait_until(lambda: "12 échecs ouverts" in visitor.get("/").words, seconds=20)
    wait_until(lambda: "734 sur 20 000" in visitor.get("/").words, seconds=20)
    words = visitor.get("/").words
    assert "1 imports ouverts" in words
    assert "Au repos" not in words


@pytest.mark.parametrize("role", ["reader", "editor", "operator", "admin"])
def test_the_home_is_for_everyone(log_in: LogIn, role: str) -> None:
    assert log_in(role).get("/").status == 200
