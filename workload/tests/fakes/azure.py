"""Entra ID's token endpoint and Application Insights' ingestion, on one TLS port of the loopback interface.

It checks what the real ones check: the token is issued for a federated assertion, and telemetry is taken with that
token alone. What arrived is kept for the test.
"""

from __future__ import annotations

import datetime
import gzip
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TENANT = "11111111-1111-1111-1111-111111111111"
CLIENT = "22222222-2222-2222-2222-222222222222"
INSTRUMENTATION_KEY = "33333333-3333-3333-3333-333333333333"
ASSERTION = "a-token-of-the-cluster"
TOKEN = "a-token-of-entra"


@dataclass
class FakeAzure:
    port: int
    certificate: Path
    token_requests: list[dict[str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/"

    @property
    def connection_string(self) -> str:
        return f"InstrumentationKey={INSTRUMENTATION_KEY};IngestionEndpoint={self.url};LiveEndpoint={self.url}"

    def of(self, kind: str) -> list[dict[str, Any]]:
        """What arrived of one kind: RequestData, RemoteDependencyData, MessageData, ExceptionData."""
        return [item for item in self.items if item["data"]["baseType"] == kind]


@contextmanager
def running(directory: Path) -> Iterator[FakeAzure]:
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    _certify(certificate, key)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if self.path.endswith("/oauth2/v2.0/token"):
                self._token({name: values[0] for name, values in parse_qs(body.decode()).items()})
            elif self.path.endswith("/track"):
                self._track(json.loads(body))
            else:
                azure.refused.append(self.path)
                self._answer(404, {})

        def do_GET(self) -> None:
            azure.refused.append(self.path)
            self._answer(404, {})

        def _token(self, form: dict[str, str]) -> None:
            azure.token_requests.append({**form, "path": self.path})
            good = self.path == f"/{TENANT}/oauth2/v2.0/token" and form.get("client_assertion") == ASSERTION
            answer = {"token_type": "Bearer", "expires_in": 3600, "access_token": TOKEN}
            self._answer(200 if good else 401, answer if good else {"error": "invalid_client"})

        def _track(self, items: list[dict[str, Any]]) -> None:
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                azure.refused.append(self.path)
                self._answer(401, {})
                return
            azure.items.extend(items)
            self._answer(200, {"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []})

        def _answer(self, status: int, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    azure = FakeAzure(server.server_port, certificate)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield azure
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _certify(certificate: Path, key: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    no_encryption = serialization.NoEncryption()
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_encryption)
    key.write_bytes(pem)
