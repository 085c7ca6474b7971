"""The text that a person gives to the administrator of a server: SQL, and commands in comments."""

from collections.abc import Iterator

from shared.roles.broker_users import BROKER_USERS
from shared.roles.privileges import OWNER
from shared.roles.statements import leave, set_up

_HEAD = """\
-- The roles of Sirenade. Run it in each of its databases, as a superuser or the administrator of
-- the server, while no service runs; it may be repeated:
--   ./sirenade roles | psql --single-transaction --set ON_ERROR_STOP=1 'postgresql://…'
-- Then give each role a password (psql: \\password {prefix}writer), and run ./sirenade migrate as
-- {owner}, which gives the roles their privileges."""


def as_sql(prefix: str, vhost: str) -> Iterator[str]:
    """Yield the lines for PostgreSQL, then, as comments, those for RabbitMQ."""
    yield _HEAD.format(prefix=prefix, owner=prefix + OWNER)
    for statement in (*set_up(prefix), leave(prefix)):
        yield f"{statement};"
    yield "-- The users of RabbitMQ; add_user asks for a password:"
    for name, user in BROKER_USERS.items():
        patterns = " ".join(f"'{pattern}'" for pattern in user.permissions.values())
        yield f"--   rabbitmqctl add_user {prefix}{name}"
        yield f"--   rabbitmqctl set_permissions -p '{vhost}' {prefix}{name} {patterns}"
        if user.tag:
            yield f"--   rabbitmqctl set_user_tags {prefix}{name} {user.tag}"
