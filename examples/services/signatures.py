"""How the shop signs its webhooks, so that only who knows the secret can have sent them.

The signature is HMAC-SHA256 over the time of sending, a dot and the body; the time goes along in a
header of its own, so that an old webhook cannot be sent again by somebody who overheard it.
"""

import hashlib
import hmac

SIGNATURE = "X-Shop-Signature"
TIMESTAMP = "X-Shop-Timestamp"


def headers(secret: str, body: bytes, *, sent_at: float) -> dict[str, str]:
    """Sign a body as sent at a time in Unix seconds."""
    timestamp = str(int(sent_at))
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return {SIGNATURE: f"sha256={signed.hexdigest()}", TIMESTAMP: timestamp}
