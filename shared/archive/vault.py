"""The store together with what protects its objects: seal and cipher."""

from dataclasses import dataclass

from shared.archive.cipher import Cipher
from shared.archive.seal import seal, unseal
from shared.archive.settings import ArchiveSettings, BackupSettings
from shared.archive.storage import Storage, open_storage
from shared.errors import UserError
from shared.private_files import nameless_file

_ENCRYPTED, _CLEAR = b"encrypted\n", b"clear\n"


@dataclass(frozen=True)
class Vault:
    storage: Storage
    key: str
    cipher: Cipher

    def put(self, name: str, content: bytes) -> None:
        self.storage.put(name, seal(self.key, name, content))

    def read(self, name: str, *, most_bytes: int) -> bytes:
        """Raise BrokenSeal where this key has not sealed the object."""
        return unseal(self.key, name, self.storage.read(name, most_bytes=most_bytes))

    def put_secret(self, name: str, content: bytes) -> None:
        """Put the content encrypted, where the settings say how."""
        with nameless_file() as file:
            with self.cipher.open_to_write(file) as out:
                out.write(content)
            form = _ENCRYPTED if self.cipher.encrypt_command else _CLEAR
            file.seek(0)
            self.put(name, form + file.read())

    def read_secret(self, name: str, *, most_bytes: int) -> bytes:
        form, newline, content = self.read(name, most_bytes=most_bytes).partition(b"\n")
        encrypted = form + newline == _ENCRYPTED
        with nameless_file() as file:
            with Cipher().open_to_write(file) as out:
                out.write(content)
            with self.cipher.open_to_read(file, encrypted=encrypted) as clear:
                return clear.read()


def open_archive(settings: ArchiveSettings) -> Storage:
    """Open the store of archives. Raises UserError where none is set."""
    if not settings.archive_url:
        raise UserError("set SIRENADE_ARCHIVE_URL: s3://…, az://…, gs://… or file:///…")
    return open_storage(settings.archive_url, settings.archive_credentials.get_secret_value())


def open_vault(settings: BackupSettings) -> Vault:
    """Open the store of backups. Raises UserError where none is set."""
    return _protected(settings, open_archive(settings))


def open_erasures(settings: BackupSettings) -> Vault:
    """Open the store of erasures. Raises UserError where none is set."""
    if not settings.erasures_url:
        return open_vault(settings)
    credentials = settings.archive_credentials.get_secret_value()
    return _protected(settings, open_storage(settings.erasures_url, credentials))


def _protected(settings: BackupSettings, storage: Storage) -> Vault:
    return Vault(
        storage,
        settings.backup_key.get_secret_value(),
        Cipher(settings.backup_encrypt_command, settings.backup_decrypt_command),
    )
