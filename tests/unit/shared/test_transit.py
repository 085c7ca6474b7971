"""A URL says whether passwords reach its server in clear."""

import pytest

from shared.settings import ServiceSettings
from shared.transit import CONTAINERS, doubts_about, hosts_of

_ACCEPTED = hosts_of(CONTAINERS)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@localhost/x",
        "postgresql://u:p@127.0.0.1:5432/x?sslmode=disable",
        "postgresql+psycopg2://u:p@[::1]/x",
        "postgresql:///x?host=/var/run/postgresql",
        "postgresql://%2Fvar%2Frun%2Fpostgresql/x",
        "postgresql://u:p@postgres:5432/x",
        "postgresql://u:p@db.example/x?sslmode=verify-full&sslrootcert=/ca.pem",
        "postgresql://u:p@db.example/x?sslmode=verify-ca",
        "postgresql://u:p@db.example/x?sslmode=require&sslrootcert=/ca.pem",
        "amqp://u:p@127.0.0.1/x",
        "amqp://u:p@rabbitmq:5672/x",
        "amqps://u:p@mq.example/x",
        "memory://",
        "http://simulator:8021/api",
        "https://api.insee.fr/api-sirene/3.11",
        "http://[",
    ],
)
def test_what_is_encrypted_or_stays_on_this_machine_is_in_no_doubt(url: str) -> None:
    assert list(doubts_about({"SETTING": url}, _ACCEPTED)) == []


@pytest.mark.parametrize(
    ("url", "doubt"),
    [
        ("postgresql://u:hunter2@db.example/x", "PostgreSQL (db.example) may be asked in clear"),
        ("postgres://u:hunter2@10.0.0.7/x?sslmode=prefer", "(10.0.0.7) may be asked in clear"),
        ("postgresql://u:hunter2@db.example/x?sslmode=disable", "is asked in clear"),
        (
            "postgresql://u:hunter2@db.example/x?sslmode=require",
            "without a look at its certificate",
        ),
        ("postgresql:///x?host=db.example", "PostgreSQL (db.example) may be asked in clear"),
        ("postgresql://u:hunter2@localhost,two.example:5433/x", "(two.example) may be asked"),
        ("postgresql://u:hunter2@/x?host=localhost,two.example", "(two.example) may be asked"),
        ("amqps://u:p@one/x;amqp://u:p@two/x", "RabbitMQ (two) is asked in clear"),
        ("amqp://u:hunter2@mq/x", "RabbitMQ (mq) is asked in clear: use amqps://"),
        ("http://192.168.1.5/api", "a key goes to 192.168.1.5 in clear: use https://"),
    ],
)
def test_clear_text_beyond_this_machine_is_in_doubt(url: str, doubt: str) -> None:
    [said] = doubts_about({"SETTING": url}, _ACCEPTED)
    assert said.startswith("SETTING: ")
    assert doubt in said
    assert "hunter2" not in said


def test_each_server_of_a_service_is_looked_at() -> None:
    settings = ServiceSettings(
        database_url="postgresql://u:hunter2@one.example/x",
        shard_database_urls="postgresql://u@one.example/x,postgresql://u:p@two.example/x",
        broker_url="amqp://u:p@three.example/x",
        clear_text_hosts="four.example, One.example",
    )
    named = [doubt.partition(":")[0] for doubt in settings.doubts]
    assert named == ["SIRENADE_SHARD_DATABASE_URLS 2", "SIRENADE_BROKER_URL"]
