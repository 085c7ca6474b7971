"""`make init` and `make scale-…`: files that last and that no other user can read."""

import base64
import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.containers.doctor import _server_log, look
from deploy.containers.first_files import make
from deploy.containers.logins import logins_of
from deploy.containers.paths import Places, SetupError
from deploy.containers.settings_file import read_settings, scale
from shared.roles.broker_users import BROKER_USERS
from shared.roles.privileges import ROLES

ROOT = Path(__file__).parents[4]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def _tree(places: Places) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in places.root.rglob("*") if path.is_file()}


def test_secrets_are_random_and_only_their_owner_can_read_them(
    places: Places, tmp_path: Path
) -> None:
    list(make(places, demo=False))
    other = Places(tmp_path / "other")
    other.root.mkdir()
    list(make(other, demo=False))
    for name in ("postgres_password", "writer_password", "admin_password", "grafana_password"):
        assert len(places.secret(name).read_text().strip()) >= 32
        assert places.secret(name).read_text() != other.secret(name).read_text()
    assert stat.S_IMODE(places.secrets.stat().st_mode) == 0o700
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in [places.settings, *places.secrets.iterdir()]
        if path.is_file()
    }
    # RabbitMQ reads this file of hashes as another user.
    assert modes.pop("rabbitmq_accounts.json") == 0o644
    assert set(modes.values()) == {0o600}


def test_a_second_run_changes_nothing(places: Places) -> None:
    list(make(places, demo=False))
    places.secret("insee_key").write_text("mine\n")
    before = _tree(places)
    said = list(make(places, demo=True))
    assert _tree(places) == before
    assert all(line.endswith("stays as it is") for line in said)


def test_what_is_missing_is_made_with_the_passwords_that_are_there(places: Places) -> None:
    list(make(places, demo=False))
    places.secret("writer_database_url").unlink()
    list(make(places, demo=False))
    password = places.secret("writer_password").read_text().strip()
    url = places.secret("writer_database_url").read_text()
    assert f"sirenade_writer:{password}@postgres" in url


def test_every_role_logs_in_as_itself_and_roles_alone_as_the_superuser(places: Places) -> None:
    list(make(places, demo=False))
    passwords = {places.secret(f"{role}_password").read_text() for role in ROLES}
    assert len(passwords) == len(ROLES)
    urls = {path.name: path.read_text() for path in places.secrets.glob("*_url")}
    superuser = places.secret("postgres_password").read_text().strip()
    assert [name for name, url in urls.items() if superuser in url] == ["admin_database_url"]
    for name, url in urls.items():
        role = name.partition("_")[0]
        assert role == "admin" or url.partition("//")[2].startswith(f"sirenade_{role}:"), name
    assert list(logins_of(places)) == []
    places.secret("writer_database_url").write_text("postgresql://sirenade:x@postgres/sirenade")
    assert [text for text in logins_of(places) if "the superuser" in text]


def test_the_broker_knows_users_by_the_hashes_of_their_passwords(places: Places) -> None:
    list(make(places, demo=False))
    accounts = json.loads(places.secret("rabbitmq_accounts.json").read_text())
    users = {user["name"]: user for user in accounts["users"]}
    assert users.keys() == {"admin", *(f"sirenade_{role}" for role in BROKER_USERS)}
    assert users["sirenade_writer"]["tags"] == []
    password = places.secret("writer_password").read_text().strip()
    kept = base64.b64decode(users["sirenade_writer"]["password_hash"])
    assert kept[4:] == hashlib.sha256(kept[:4] + password.encode()).digest()
    permissions = {each["user"]: each for each in accounts["permissions"]}
    assert permissions.keys() == users.keys()
    assert permissions["sirenade_reviewer"]["read"] == BROKER_USERS["reviewer"].read


def test_without_a_demo_the_key_of_insee_is_asked_for(places: Places) -> None:
    said = list(make(places, demo=False))
    assert said[-1].endswith(str(places.secret("insee_key")))
    assert "SIRENADE_INSEE_URL" not in read_settings(places.settings)


def test_a_demo_has_a_simulator_and_its_key(places: Places) -> None:
    list(make(places, demo=True))
    settings = read_settings(places.settings)
    assert "demo" in settings["COMPOSE_PROFILES"].split(",")
    assert settings["SIRENADE_INSEE_URL"].startswith("http://simulator:")
    assert places.secret("insee_key").read_text().strip()


def test_services_never_run_as_root(places: Places) -> None:
    list(make(places, demo=False))
    uid = int(read_settings(places.settings)["SIRENADE_UID"])
    assert uid != 0
    assert places.secret("writer_database_url").stat().st_uid == uid


def test_a_number_of_replicas_is_kept_and_nothing_else_is_touched(places: Places) -> None:
    list(make(places, demo=False))
    before = places.settings.read_text()
    scale(places, "reviewer", "12")
    assert places.settings.read_text() == before.replace(
        "REVIEWER_REPLICAS=2", "REVIEWER_REPLICAS=12"
    )
    assert stat.S_IMODE(places.settings.stat().st_mode) == 0o600


@pytest.mark.parametrize("replicas", ["", "-1", "2.5", "many", "21", "１"])
def test_a_number_that_cannot_be_is_refused(places: Places, replicas: str) -> None:
    list(make(places, demo=False))
    before = _tree(places)
    with pytest.raises(SetupError, match="takes 0 to 20"):
        scale(places, "reviewer", replicas)
    assert _tree(places) == before


def test_the_operator_is_one(places: Places) -> None:
    list(make(places, demo=False))
    with pytest.raises(SetupError, match="has one replica"):
        scale(places, "operator", "2")


def test_scaling_before_the_set_up_is_told_in_one_line(places: Places) -> None:
    with pytest.raises(SetupError, match="make init"):
        scale(places, "reviewer", "2")


def test_the_doctor_names_what_is_missing_without_docker(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "deploy.containers", "doctor"],
        cwd=ROOT,
        env={"PATH": str(tmp_path), "HOME": str(tmp_path), **_mark()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr == ""
    assert "MISSING docker: not installed" in result.stdout


def _mark() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("SIRENADE_TEST")}


def test_the_doctor_names_the_secret_that_services_cannot_use(places: Places) -> None:
    list(make(places, demo=True))
    places.secret("writer_broker_url").chmod(0o644)
    places.secret("insee_key").write_text("")
    places.secret("grafana_password").unlink()
    missing = [str(finding) for finding in look(places) if finding.good is False]
    named = [line for line in missing if ".secrets/" in line]
    assert len(named) == 3
    assert any("chmod 600 .secrets/writer_broker_url" in line for line in named)
    assert any(".secrets/insee_key: empty" in line for line in named)
    assert any(".secrets/grafana_password: not there: make init" in line for line in named)


def test_the_doctor_says_what_backups_lack(places: Places) -> None:
    list(make(places, demo=True))
    assert not [finding for finding in look(places) if "backup" in finding.text]
    with places.settings.open("a", encoding="utf-8") as settings:
        settings.write("SIRENADE_ARCHIVE_URL=s3://bucket\n")
    found = [str(finding) for finding in look(places) if "backup" in finding.text]
    assert [each.split()[0] for each in found] == ["ok", "?"]
    assert "SIRENADE_BACKUP_ENCRYPT_COMMAND" in found[1]
    places.secret("backup_key").unlink()
    found = [str(finding) for finding in look(places) if "backup" in finding.text]
    assert [each.split()[0] for each in found] == ["MISSING", "MISSING", "?"]


def test_the_doctor_names_a_log_that_quotes_rows() -> None:
    silent = ["postgres", "-clog_min_error_statement=panic", "-clog_error_verbosity=terse"]
    assert _server_log({"postgres": {"command": silent}}).good
    for command in (silent[:2], silent[:1], None):
        assert _server_log({"postgres": {"command": command}}).good is False
    assert _server_log({}).good is None
