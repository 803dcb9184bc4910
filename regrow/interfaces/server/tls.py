"""TLS: a certificate and its key, checked before the server starts."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from regrow.media.files import MediaError, readable, reason
from regrow.messages.message import say


@dataclass(frozen=True)
class Tls:
    """The certificate of a server.

    Attributes:
        certificate: a PEM file, followed by the intermediate certificates of its chain.
        key: the file of its private key, which may be the same file.
    """

    certificate: Path
    key: Path


def tls_of(certificate: Path | None, key: Path | None) -> Tls | None:
    """Return the checked certificate and key; None if no certificate is given.

    Raises:
        MediaError: a file cannot be read or is invalid, the two do not match, or the key has a password.
    """
    if certificate is None:
        if key is not None:
            raise MediaError(say("key_without_certificate"))
        return None
    found = Tls(readable(certificate), readable(key or certificate))
    try:  # with "" as the key's password, OpenSSL does not prompt for one
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(found.certificate, found.key, lambda: "")
    except (ssl.SSLError, OSError) as problem:
        raise MediaError(
            say("certificate_unusable", certificate=found.certificate, key=found.key, reason=reason(problem))
        ) from problem
    return found
