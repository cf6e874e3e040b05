"""TLS in front of the gateway, for SDKs that speak nothing else."""

import ssl
import subprocess
from pathlib import Path


def server_context(directory: Path) -> ssl.SSLContext:
    """A server's context with a certificate of its own making, which browsers must be told to accept."""
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=shop.example", *files],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
