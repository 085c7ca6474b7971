"""The store for archives and backups, opened from the settings."""

from services.operator.archive.storage import Storage, open_storage
from services.operator.settings import ArchiveSettings
from shared.errors import UserError
from shared.settings import load


def archive_settings() -> ArchiveSettings:
    return load(ArchiveSettings)


def storage_of(settings: ArchiveSettings) -> Storage:
    """Raises UserError where no store is set."""
    if not settings.archive_url:
        raise UserError("set SIRENADE_ARCHIVE_URL: s3://…, az://…, gs://… or file:///…")
    return open_storage(settings.archive_url, settings.archive_credentials.get_secret_value())
