"""Each role logs in and tries what it must not do."""

import psycopg2
import psycopg2.errors
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812  a class, named as one
from sqlalchemy import make_url

from deploy.local.postgres import RunningPostgres
from shared.roles.privileges import ROLES, SERVICES
from tests.role_logins import RoleLogins

_NOT_THE_OWNER = (*SERVICES, "portal", "indexer", "exporter", "reader")
_PEOPLES_DATA = (
    "absences",
    "avis_attempts",
    "avis_orders",
    "dead_letters",
    "erasures",
    "etablissements",
    "failed_items",
    "oppositions",
    "page_redirects",
    "periodes_etablissements",
    "pro_localisations",
    "slice_receipts",
    "sources",
    "unites_legales",
)
# These would take the whole server over.
_FOR_NOBODY = (
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY pg_temp.x FROM PROGRAM 'true'",
    "SELECT pg_read_file('postgresql.conf')",
    "CREATE ROLE intruder SUPERUSER",
    "CREATE DATABASE intruder",
    "ALTER SYSTEM SET log_statement = 'all'",
    "SELECT rolpassword FROM pg_authid",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
    "SET ROLE postgres",
)
_FOR_THE_OWNER = (
    "CREATE TABLE intruder (n int)",
    "CREATE FUNCTION intruder() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "DROP TABLE turns",
    "TRUNCATE turns",
    "ALTER TABLE turns ADD COLUMN intruder int",
    "ALTER TABLE etablissements DISABLE TRIGGER ALL",
    "CREATE TRIGGER intruder AFTER INSERT ON turns EXECUTE FUNCTION note_trades()",
    "DELETE FROM etablissements",
    "DELETE FROM unites_legales",
    "UPDATE alembic_version SET version_num = 'x'",
    "DELETE FROM shard_place",
)
_DENIED = (
    psycopg2.errors.InsufficientPrivilege,
    psycopg2.errors.UndefinedTable,
    psycopg2.errors.InvalidSchemaName,
)
_BY_ROLE = {
    "fetcher": (
        "SELECT denomination FROM unites_legales",
        "SELECT nom FROM unites_legales",
        "SELECT enseigne1 FROM etablissements",
        "SELECT * FROM pro_localisations",
        "SELECT verbatim FROM sources",
        "SELECT payload FROM failed_items",
        "SELECT text FROM avis_attempts",
        "INSERT INTO slice_receipts SELECT * FROM slice_receipts",
        "UPDATE etablissements SET enseigne1 = 'x'",
        "UPDATE avis SET text = 'x'",
        "UPDATE review_budget SET cap_eur = 1000000",
        "CREATE TEMP TABLE intruder (n int)",
    ),
    "writer": (
        "UPDATE review_budget SET cap_eur = 1000000",
        "UPDATE quota SET requests_per_minute = 1000",
        "INSERT INTO import_runs (sirets) VALUES ('{}')",
        "DELETE FROM oppositions",
        "DELETE FROM import_runs",
        "SELECT * FROM review_reservations",
    ),
    "reviewer": (
        "INSERT INTO etablissements SELECT * FROM etablissements",
        "UPDATE etablissements SET etat_administratif = 'F'",
        "UPDATE unites_legales SET statut_diffusion = 'O'",
        "UPDATE pro_localisations SET status = 'closed'",
        "DELETE FROM avis",
        "DELETE FROM oppositions",
        "DELETE FROM sources",
        "SELECT body FROM dead_letters",
        "UPDATE review_budget SET cap_eur = 1000000",
        "UPDATE review_budget SET renewals_per_day = 1000000",
        "UPDATE import_runs SET status = 'failed'",
        "CREATE TEMP TABLE intruder (n int)",
    ),
    "operator": (
        "SELECT denomination FROM unites_legales",
        "SELECT enseigne1 FROM etablissements",
        "SELECT body FROM dead_letters",
        "SELECT verbatim FROM sources",
        "UPDATE etablissements SET etat_administratif = 'F'",
        "UPDATE review_budget SET cap_eur = 1000000",
        "UPDATE watermarks SET collection = 'x'",
        "DELETE FROM import_runs",
        "CREATE TEMP TABLE intruder (n int)",
    ),
    "portal": (
        "SELECT secret FROM webhooks",
        "SELECT url FROM webhooks",
        "UPDATE avis SET text = 'x'",
        "SELECT text FROM avis",
        "SELECT held_because FROM avis",
        "SELECT * FROM avis",
        "SELECT verbatim FROM sources",
        "SELECT * FROM avis_attempts",
        "SELECT * FROM failed_items",
        "SELECT * FROM oppositions",
        "SELECT body FROM dead_letters",
        "UPDATE etablissements SET enseigne1 = 'x'",
        "UPDATE pro_localisations SET status = 'closed'",
        "INSERT INTO page_changes VALUES (1, 1, '1', 'text', now())",
        "DELETE FROM page_changes",
        "CREATE TEMP TABLE intruder (n int)",
    ),
    "indexer": (
        "SELECT text FROM avis",
        "SELECT verbatim FROM sources",
        "SELECT * FROM failed_items",
        "UPDATE unites_legales SET denomination = 'x'",
        "UPDATE pro_localisations SET status = 'closed'",
        "SELECT libelle_voie FROM etablissements",
        "TRUNCATE search_entries",
        "DELETE FROM page_changes",
        "CREATE TEMP TABLE intruder (n int)",
    ),
    "exporter": (
        *(f"SELECT count(*) FROM {table}" for table in (*_PEOPLES_DATA, "avis", "import_runs")),
        "SELECT * FROM avis_published",
    ),
    "reader": (
        "SELECT secret FROM webhooks",
        *(f"SELECT * FROM {table}" for table in (*_PEOPLES_DATA, "avis")),
        "INSERT INTO jobs (job, schedule, next_at) VALUES ('x', 'x', now())",
        "UPDATE review_budget SET cap_eur = 1000000",
        "UPDATE avis SET outcome = 'accepted'",
        "SELECT 1 FROM review_budget FOR UPDATE",
        "DO $$ BEGIN LOCK TABLE avis IN EXCLUSIVE MODE; END $$",
        "CREATE TEMP TABLE intruder (n int)",
    ),
}


def log_in(role_logins: RoleLogins, role: str) -> Connection:
    url = make_url(role_logins.url(role)).set(drivername="postgresql")
    connection = psycopg2.connect(url.render_as_string(hide_password=False))
    connection.autocommit = True
    return connection


def refusal(connection: Connection, statement: str) -> type[Exception] | None:
    """Return why the server refuses the statement; None where it does not."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(statement)
        except psycopg2.Error as error:
            return type(error)
    return None


def allowed(connection: Connection, statements: tuple[str, ...]) -> dict[str, object]:
    """Return what the role may do, or where it fails at anything else than its privileges.

    The names in a schema that it may not use do not exist for it.
    """
    found = {statement: refusal(connection, statement) for statement in statements}
    return {statement: why for statement, why in found.items() if why not in _DENIED}


def test_no_role_may_do_what_it_need_not(role_logins: RoleLogins) -> None:
    wrong = {}
    for role in ROLES:
        connection = log_in(role_logins, role)
        tried: tuple[str, ...] = _FOR_NOBODY
        if role in _NOT_THE_OWNER:
            tried += (*_FOR_THE_OWNER, *_BY_ROLE[role])
        if found := allowed(connection, tried):
            wrong[role] = found
        connection.close()
    assert wrong == {}


def test_a_role_reads_what_it_is_for(role_logins: RoleLogins) -> None:
    for role, statement in (
        ("exporter", "SELECT count(*) FROM pg_stat_activity WHERE query IS NOT NULL"),
        ("exporter", "SELECT setting FROM pg_settings WHERE name = 'data_directory'"),
        ("reader", "SELECT count(*) FROM avis_published"),
        ("reader", "SELECT count(*) FROM avis WHERE outcome = 'pending'"),
        ("portal", "SELECT max(CAST(xmin AS text)) FROM avis"),
        ("portal", "SELECT count(text) FROM avis_published"),
        ("indexer", "SELECT denomination FROM unites_legales LIMIT 1"),
        ("indexer", "SELECT 1 FROM unites_legales LIMIT 1 FOR SHARE"),
        ("portal", "SELECT count(*) FROM search_entries"),
        ("fetcher", "SELECT siret, departement FROM etablissements"),
        ("migrate", "CREATE TABLE anything (n int)"),
    ):
        connection = log_in(role_logins, role)
        assert refusal(connection, statement) is None, (role, statement)
        connection.close()


def test_no_other_role_of_the_server_may_enter(
    postgres: RunningPostgres, role_logins: RoleLogins
) -> None:
    name = f"{role_logins.prefix}stranger"
    url = make_url(role_logins.urls[0]).set(username=name, password="x", drivername="postgresql")
    with postgres.connect() as superuser, superuser.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
        try:
            with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
                psycopg2.connect(url.render_as_string(hide_password=False))
        finally:
            cursor.execute(f"DROP ROLE {name}")
