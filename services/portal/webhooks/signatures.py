"""The signature of a message, as Standard Webhooks 1.0.0 has it. Pure.

https://www.standardwebhooks.com: a receiver checks it with any of the libraries named there.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping

PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def headers_of(secret: str, message_id: str, body: bytes, *, at_seconds: int) -> Mapping[str, str]:
    """Return the headers of a message that is sent at this time, in seconds of the epoch."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{at_seconds}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(at_seconds),
        "webhook-signature": f"v1,{signature}",
    }
