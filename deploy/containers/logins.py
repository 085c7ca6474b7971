"""The roles as which services log in: what `make doctor` says of them."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from deploy.containers.paths import Places
from shared.roles.privileges import USERS

# The name that POSTGRES_USER has in deploy/compose/postgres.yaml.
_SUPERUSER = "sirenade"
# `roles` is done in a moment, and must be one.
_AT_WORK = """
    SELECT DISTINCT application_name FROM pg_stat_activity JOIN pg_roles ON rolname = usename
    WHERE rolsuper AND application_name LIKE 'sirenade-%' AND application_name <> 'sirenade-roles'
    ORDER BY 1
"""


def logins_of(places: Places) -> Iterator[str]:
    """Yield what is wrong with the logins in the files; one that cannot be read is left out."""
    for role in USERS:
        try:
            url = places.secret(f"{role}_database_url").read_text(encoding="utf-8").strip()
            user = urlsplit(url).username
        except (OSError, ValueError):
            continue
        if user == _SUPERUSER:
            yield f".secrets/{role}_database_url: {user} is the superuser; the role has its own"


def superusers_at_work(output: Callable[..., str]) -> list[str]:
    """Return the processes that are logged in as a superuser; `output` runs a command."""
    psql = ("psql", "--username", _SUPERUSER, "--dbname", "sirenade", "--tuples-only", "--no-align")
    found = output("docker", "compose", "exec", "--no-TTY", "postgres", *psql, "-c", _AT_WORK)
    return found.split()
