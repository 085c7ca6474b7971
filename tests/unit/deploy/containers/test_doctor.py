"""`make doctor` warns of what may be read on its way, and of images that may change."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.containers import doctor
from deploy.containers.doctor import look
from deploy.containers.first_files import make
from deploy.containers.images import Image
from deploy.containers.paths import Places
from shared.transit import CONTAINERS
from tests.unit.deploy.compose_files import services

ROOT = Path(__file__).parents[4]
_PROVIDERS = """
[[provider]]
name = "mine"
base_url = "http://192.168.1.9:8000/v1"
model = "m"
key_file = "/run/providers/mine"

[[provider]]
name = "keyless"
base_url = "http://192.168.1.9:8000/v1"
model = "m"
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path)
    list(make(places, demo=True))
    return places


def _warnings(places: Places) -> list[str]:
    lines = [str(finding) for finding in look(places)]
    return [line.removeprefix("warning ") for line in lines if line.startswith("warning ")]


def test_containers_of_one_machine_are_asked_in_clear_without_a_warning(places: Places) -> None:
    assert [line for line in _warnings(places) if not line.startswith("images")] == []
    for name in ("fetcher", "writer", "reviewer", "operator", "migrate", "sirenade"):
        assert services()[name]["environment"]["SIRENADE_CLEAR_TEXT_HOSTS"] == CONTAINERS


def test_a_url_that_seems_to_lead_to_a_pooler_is_named(places: Places) -> None:
    url = "postgresql://u:hunter2@db.example:6432/x?sslmode=verify-full\n"
    places.secret("reviewer_database_url").write_text(url)
    [told] = [line for line in _warnings(places) if "pgbouncer" in line]
    assert told.startswith(".secrets/reviewer_database_url: ")
    assert "hunter2" not in told


def test_each_server_elsewhere_that_is_asked_in_clear_is_named(places: Places) -> None:
    places.secret("reviewer_database_url").write_text("postgresql://u:hunter2@db.example/x\n")
    places.secret("writer_broker_url").write_text("amqp://u:hunter2@10.0.0.5/x\n")
    places.secret("shard_database_urls").write_text(
        "postgresql://u:hunter2@one.example/x?sslmode=verify-full,postgresql://u@two.example/x\n"
    )
    (places.secret("providers") / "providers.toml").write_text(_PROVIDERS)
    with places.settings.open("a") as file:
        file.write("SIRENADE_INSEE_URL=http://192.168.1.8/api\n")
    told = [line for line in _warnings(places) if not line.startswith("images")]
    assert [line.partition(": ")[0] for line in told] == [
        ".secrets/reviewer_database_url",
        ".secrets/shard_database_urls",
        ".secrets/writer_broker_url",
        "SIRENADE_INSEE_URL",
        "provider mine",
    ]
    assert "two.example" in told[1]
    assert "hunter2" not in "".join(told)
    with places.settings.open("a") as file:
        accepted = f"{CONTAINERS},10.0.0.5,db.example,two.example,192.168.1.8"
        file.write(f"SIRENADE_CLEAR_TEXT_HOSTS={accepted}\n")
    assert [line for line in _warnings(places) if "provider mine" not in line] == [
        line for line in _warnings(places) if line.startswith("images")
    ]


@pytest.mark.parametrize("content", [b"provider = 5", b'provider = ["key_file"]', b"\xff", b"x ="])
def test_files_that_cannot_be_read_are_no_doubt(places: Places, content: bytes) -> None:
    (places.secret("providers") / "providers.toml").write_bytes(content)
    places.secret("shard_database_urls").write_bytes(content)
    assert [line for line in _warnings(places) if not line.startswith("images")] == []


def test_an_image_without_a_digest_is_named(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [Image("postgres", "17", "sha256:00"), Image("grafana/grafana", "12")]
    monkeypatch.setattr(doctor, "read_images", lambda: images)
    assert _warnings(places) == ["images without a digest: grafana/grafana:12: make images-pin"]
    monkeypatch.setattr(doctor, "read_images", lambda: images[:1])
    assert _warnings(places) == []


def test_it_runs_before_anything_is_installed(tmp_path: Path) -> None:
    """`-S` leaves out all that is installed."""
    ran = subprocess.run(
        [sys.executable, "-S", "-m", "deploy.containers", "doctor"],
        cwd=ROOT,
        env={"PATH": str(tmp_path), **{n: v for n, v in os.environ.items() if "_TEST" in n}},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""
    assert "docker: not installed" in ran.stdout
