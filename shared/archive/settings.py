from pydantic import Field, SecretStr, field_validator

from shared.settings import DatabaseSettings

_LEAST_KEY_CHARACTERS = 16


class ArchiveSettings(DatabaseSettings):
    """The store of archives and backups."""

    archive_url: str = Field(
        default="", description="s3://bucket/prefix, az://container/prefix, gs://… or file:///…"
    )
    archive_credentials: SecretStr = Field(
        default=SecretStr(""), description="lines NAME=value, like aws_access_key_id=…"
    )


class BackupSettings(ArchiveSettings):
    """The protection of backups and erasures in the store; no service needs these settings."""

    erasures_url: str = Field(
        default="", description="where `forget` keeps erasures, if not in the store of archives"
    )
    backup_key: SecretStr = Field(
        default=SecretStr(""), description="seals backups and erasures; never keep it in the store"
    )
    backup_encrypt_command: str = Field(
        default="", description="from standard input to output, like: age -r age1…"
    )
    backup_decrypt_command: str = Field(
        default="", description="the same for a restore, like: age -d -i /etc/sirenade/age.key"
    )

    @field_validator("backup_key")
    @classmethod
    def _is_long_enough(cls, key: SecretStr) -> SecretStr:
        if 0 < len(key.get_secret_value()) < _LEAST_KEY_CHARACTERS:
            raise ValueError(f"is too short: {_LEAST_KEY_CHARACTERS} characters or more")
        return key


class DrillSettings(BackupSettings):
    """The settings of a restore drill."""

    drill_server_url: SecretStr = Field(
        default=SecretStr(""),
        description="where a drill makes its databases, if not on the server of database_url",
    )
