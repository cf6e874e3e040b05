"""How connections to brokers are encrypted."""

import ssl

from gateway.deliver.transport import UnreachableError
from gateway.destinations.broker import BrokerSettings


def tls_context(settings: BrokerSettings) -> ssl.SSLContext | None:
    """Verifies the broker by the owner's certificates; None without TLS. Raises UnreachableError for unusable files."""
    if not settings.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.certificate_file:
            context.load_cert_chain(settings.certificate_file, settings.key_file)
    except (OSError, ssl.SSLError) as error:
        raise UnreachableError(f"the certificate files cannot be used: {error}") from error
    return context
