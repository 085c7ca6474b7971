from pathlib import Path

import pytest

from services.fetcher.settings import FetcherSettings
from shared.db_url import normalise_url
from shared.errors import UserError
from shared.settings import ServiceSettings, load

COMPLETE = {
    "SIRENADE_DATABASE_URL": "postgresql://u:hunter2@localhost/x",
    "SIRENADE_BROKER_URL": "memory://",
    "SIRENADE_INSEE_KEY": "hunter2",
}


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_every_problem_is_listed_at_once_and_no_value_shown(complete: pytest.MonkeyPatch) -> None:
    complete.delenv("SIRENADE_INSEE_KEY")
    complete.setenv("SIRENADE_INSEE_REQUESTS_PER_MINUTE", "hunter2")
    complete.setenv("SIRENADE_FETCHER_THREADS", "0")
    with pytest.raises(UserError) as caught:
        load(FetcherSettings)
    lines = str(caught.value)
    for name in ("INSEE_KEY", "INSEE_REQUESTS_PER_MINUTE", "FETCHER_THREADS"):
        assert f"SIRENADE_{name}" in lines
    assert "hunter2" not in lines


def test_a_secret_can_come_from_a_file(complete: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-the-file\n")
    complete.setenv("SIRENADE_INSEE_KEY_FILE", str(tmp_path / "key"))
    assert load(FetcherSettings).insee_key.get_secret_value() == "from-the-file"


def test_a_secret_file_that_is_missing_is_named(
    complete: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    complete.setenv("SIRENADE_DATABASE_URL_FILE", str(tmp_path / "missing"))
    with pytest.raises(UserError, match=r"_DATABASE_URL_FILE: cannot read .*: No such file"):
        load(ServiceSettings)


def test_settings_do_not_print_their_secrets(complete: pytest.MonkeyPatch) -> None:
    del complete
    assert "hunter2" not in repr(load(FetcherSettings))


def test_a_secret_file_that_is_no_text_is_a_problem_like_any_other(
    complete: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"\xff\xfe")
    complete.setenv("SIRENADE_DATABASE_URL_FILE", str(tmp_path / "secret"))
    with pytest.raises(UserError, match="it is not UTF-8"):
        load(ServiceSettings)


@pytest.mark.parametrize("url", ["amqp://u:hunter2@host:abc/", "amqp://u:hunter2@[host/"])
def test_a_broker_url_that_cannot_be_read_is_a_problem_that_keeps_the_password(
    url: str, complete: pytest.MonkeyPatch
) -> None:
    complete.setenv("SIRENADE_BROKER_URL", url)
    with pytest.raises(UserError, match=r"SIRENADE_BROKER_URL.*cannot be read") as refused:
        load(ServiceSettings)
    assert "hunter2" not in str(refused.value)


def test_a_broker_user_without_a_password_is_a_problem(complete: pytest.MonkeyPatch) -> None:
    complete.setenv("SIRENADE_BROKER_URL", "amqp://nobody@localhost/")
    with pytest.raises(UserError, match=r"SIRENADE_BROKER_URL.*without a password"):
        load(ServiceSettings)


def test_without_shards_the_database_is_the_only_one(complete: pytest.MonkeyPatch) -> None:
    assert load(ServiceSettings).shard_urls == (COMPLETE["SIRENADE_DATABASE_URL"],)
    complete.setenv("SIRENADE_SHARD_DATABASE_URLS", " , ")
    assert load(ServiceSettings).shard_urls == (COMPLETE["SIRENADE_DATABASE_URL"],)


def test_shards_are_listed_in_order_or_in_a_file(
    complete: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    urls = ("postgresql://u:hunter2@localhost/a", "postgresql://u:hunter2@localhost/b")
    complete.setenv("SIRENADE_SHARD_DATABASE_URLS", ", ".join(urls))
    assert load(ServiceSettings).shard_urls == urls
    complete.delenv("SIRENADE_SHARD_DATABASE_URLS")
    (tmp_path / "shards").write_text(",\n".join(urls) + "\n")
    complete.setenv("SIRENADE_SHARD_DATABASE_URLS_FILE", str(tmp_path / "shards"))
    assert load(ServiceSettings).shard_urls == urls


def test_a_shard_without_a_user_takes_the_login_of_the_database(
    complete: pytest.MonkeyPatch,
) -> None:
    complete.setenv("SIRENADE_DATABASE_URL", "postgresql://writer:p%40ss@one/a")
    complete.setenv(
        "SIRENADE_SHARD_DATABASE_URLS",
        "postgresql://one/a, postgresql://u:w@two:5433/b?sslmode=require",
    )
    first, second = load(ServiceSettings).shard_urls
    assert normalise_url(first) == normalise_url("postgresql://writer:p%40ss@one/a")
    assert second == "postgresql://u:w@two:5433/b?sslmode=require"


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["a", "b", "c"], "names 3 databases"),
        ([f"d{number}" for number in range(128)], "names 128 databases"),
        (["a", "b", "c", "a"], "names a database twice"),
        (["a", "b:c:d"], "cannot be read"),
    ],
)
def test_shards_that_cannot_be_are_a_problem_that_keeps_the_passwords(
    names: list[str], problem: str, complete: pytest.MonkeyPatch
) -> None:
    urls = [f"postgresql://u:hunter2@localhost/{name}" for name in names]
    if problem == "cannot be read":
        urls = [url.replace("localhost/b:c:d", "localhost:c:d/b") for url in urls]
    complete.setenv("SIRENADE_SHARD_DATABASE_URLS", ",".join(urls))
    with pytest.raises(UserError, match=f"SIRENADE_SHARD_DATABASE_URLS: .*{problem}") as caught:
        load(ServiceSettings)
    assert "hunter2" not in str(caught.value)
