"""A certificate of our own for names below example.org, and those names as names of this machine."""

import datetime
import socket
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAMES = ("pay.example.org", "www.example.org")


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for NAMES that signs itself, so that it is also what clients trust; and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "paywall tests")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in NAMES]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "fullchain.pem", folder / "privkey.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return files


def resolver(https_port: int) -> Callable[..., list[tuple[object, ...]]]:
    """In place of ``socket.getaddrinfo``: NAMES lead to that port of this machine."""
    real = socket.getaddrinfo

    def getaddrinfo(host: str | None, port: object, *args: object, **kwargs: object) -> list[tuple[object, ...]]:
        if host in NAMES and port in (443, None):
            return real("127.0.0.1", https_port, socket.AF_INET, socket.SOCK_STREAM)  # type: ignore[return-value]
        return real(host, port, *args, **kwargs)  # type: ignore[arg-type, return-value]

    return getaddrinfo
