"""A server with a certificate encrypts; what is no certificate is refused in a sentence before it listens."""

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from web_server import Server

from regrow.interfaces.server.tls import tls_of
from regrow.media.files import MediaError

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")
PASSWORD = "eight letters"


def certificate(folder: Path, name: str, password: str = "") -> tuple[Path, Path]:
    """Write a certificate for this computer that signs itself, and its key."""
    made, key = folder / f"{name}.pem", folder / f"{name}.key"
    asked = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    sealed = ["-passout", f"pass:{password}"] if password else ["-nodes"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-keyout", str(key), "-out", str(made)]
    subprocess.run([*command, *asked, *sealed], check=True, capture_output=True)
    return made, key


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return certificate(tmp_path, "own")


@pytest.fixture
def encrypted(files: tuple[Path, Path], tmp_path: Path) -> Iterator[Server]:
    options = ["--certificate", str(files[0]), "--key", str(files[1])]
    server = Server(tmp_path / "home", password=PASSWORD, options=options)
    yield server
    server.stop()


def test_a_browser_that_trusts_the_certificate_logs_in_and_plain_text_is_not_answered(
    encrypted: Server, files: tuple[Path, Path]
) -> None:
    trusted = ssl.create_default_context(cafile=str(files[0]))
    address = encrypted.address.replace("http:", "https:")
    with httpx.Client(base_url=address, verify=trusted, timeout=60) as client:
        said = client.post("/login", data={"password": PASSWORD}, headers={"origin": address})
        assert said.status_code == 303
        assert all("; Secure" in cookie for cookie in said.headers.get_list("set-cookie"))
        assert client.get("/api/jobs").json() == []
    with httpx.Client(timeout=60) as client:
        with pytest.raises(httpx.HTTPError):
            client.get(encrypted.address + "/login")
        with pytest.raises(httpx.ConnectError, match="certificate"):
            client.get(address + "/login")


def test_what_is_no_certificate_is_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    other, sealed = certificate(tmp_path, "other"), certificate(tmp_path, "sealed", "a password")
    whole = tmp_path / "whole.pem"
    whole.write_bytes(files[0].read_bytes() + files[1].read_bytes())
    assert tls_of(None, None) is None
    assert tls_of(whole, None) is not None
    (tmp_path / "none.pem").write_text("no certificate")
    for pair in ((files[0], other[1]), (tmp_path / "none.pem", files[1]), (files[0], None), sealed):
        with pytest.raises(MediaError, match="must be a PEM certificate and its key without a password"):
            tls_of(*pair)
    with pytest.raises(MediaError, match="There is no file"):
        tls_of(tmp_path / "nowhere.pem", None)
    with pytest.raises(MediaError, match="--key is the key of a certificate"):
        tls_of(None, files[1])
