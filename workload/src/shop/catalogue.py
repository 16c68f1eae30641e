"""Where products come from: the catalogue service, or a small catalogue inside the process.

The service is asked with the key in the header X-API-Key. Every call has an end: two seconds of silence, three
attempts, no redirects (the key would go along). What comes back is judged before it is used.

The catalogue inside the process is for the first day, when there is no service yet. It wants the key to be there all
the same, so that the way of a secret from the vault to the pod is proven; it cannot know whether it is the right one.
"""

from __future__ import annotations

import http
import logging
from typing import Protocol, TypeVar
from urllib.parse import quote

import urllib3
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shop.secret import SecretError, SecretFile

_log = logging.getLogger(__name__)

T = TypeVar("T")

PRODUCT_ID = r"^[a-z0-9]+(-[a-z0-9]+)*$"

ATTEMPTS = 3
CONNECT_SECONDS, ANSWER_SECONDS = 1.0, 2.0
PAUSE_SECONDS = 0.1
"""Before the second attempt; doubled before the third."""

MAX_BYTES = 1_000_000
"""Of an answer: what is larger is no catalogue of ours."""


class Product(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = Field(max_length=64, pattern=PRODUCT_ID)
    name: str = Field(min_length=1, max_length=200)
    price_cents: int = Field(ge=0, le=100_000_000)
    """In hundredths of a euro: sums of money are whole numbers."""


_PRODUCTS = TypeAdapter(list[Product])
_PRODUCT = TypeAdapter(Product)


class CatalogueError(Exception):
    """Products cannot be had. `status` is what the customer is answered, `reason` what the log says."""

    status = http.HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CatalogueRefusalError(CatalogueError):
    """It answered, but not what was agreed: trying again will not help."""

    status = http.HTTPStatus.BAD_GATEWAY


class Catalogue(Protocol):
    def products(self) -> list[Product]: ...

    def product(self, identifier: str) -> Product | None: ...


BUILT_IN = (
    Product(id="tea-assam", name="Assam, 250 g", price_cents=890),
    Product(id="tea-sencha", name="Sencha, 100 g", price_cents=1250),
    Product(id="teapot", name="Teapot, 1 l", price_cents=3900),
)


class BuiltInCatalogue:
    def __init__(self, secret: SecretFile) -> None:
        self._secret = secret

    def products(self) -> list[Product]:
        _key(self._secret)
        return list(BUILT_IN)

    def product(self, identifier: str) -> Product | None:
        return next((each for each in self.products() if each.id == identifier), None)


class RemoteCatalogue:
    """GET <url>/products and <url>/products/<id>, answered with JSON as `Product` has it."""

    def __init__(self, url: str, secret: SecretFile) -> None:
        self._url = url
        self._secret = secret
        retries = urllib3.Retry(
            total=ATTEMPTS - 1,
            status_forcelist=(502, 503, 504),
            allowed_methods=("GET",),
            backoff_factor=PAUSE_SECONDS,
            # The last answer is given back, and how long to wait is for us to say.
            raise_on_status=False,
            respect_retry_after_header=False,
        )
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS)
        self._http = urllib3.PoolManager(maxsize=40, timeout=timeout, retries=retries)

    def products(self) -> list[Product]:
        answer = self._get("/products")
        if answer is None:
            raise CatalogueRefusalError("the catalogue knows no /products; is its address right?")
        return _judge(_PRODUCTS, answer)

    def product(self, identifier: str) -> Product | None:
        answer = self._get(f"/products/{quote(identifier, safe='')}")
        found = None if answer is None else _judge(_PRODUCT, answer)
        if found and found.id != identifier:
            raise CatalogueRefusalError("the catalogue answered with another product than it was asked for")
        return found

    def _get(self, path: str) -> bytes | None:
        """The body of the answer; None when there is no such thing."""
        headers = {"X-API-Key": _key(self._secret), "Accept": "application/json"}
        try:
            answer = self._http.request("GET", self._url + path, headers=headers, redirect=False, preload_content=False)
            try:
                body = answer.read(MAX_BYTES + 1, decode_content=True)
            finally:
                answer.close()
        except urllib3.exceptions.HTTPError as error:
            raise CatalogueError(f"the catalogue could not be asked: {_kind(error)}") from None
        if answer.status == http.HTTPStatus.NOT_FOUND:
            return None
        if answer.status >= 500 or answer.status == http.HTTPStatus.TOO_MANY_REQUESTS:
            raise CatalogueError(f"the catalogue failed: it answered {answer.status}")
        if answer.status != http.HTTPStatus.OK:
            raise CatalogueRefusalError(f"the catalogue refused: it answered {answer.status}")
        if len(body) > MAX_BYTES:
            raise CatalogueRefusalError(f"the catalogue answered with more than {MAX_BYTES} bytes")
        return body


def choose(url: str | None, secret: SecretFile) -> Catalogue:
    if url:
        return RemoteCatalogue(url, secret)
    _log.info("SHOP_CATALOGUE_URL is not set: products come from the small catalogue inside this process")
    return BuiltInCatalogue(secret)


def _key(secret: SecretFile) -> str:
    try:
        return secret.read()
    except SecretError as error:
        raise CatalogueError(str(error)) from None


def _judge(form: TypeAdapter[T], body: bytes) -> T:
    try:
        return form.validate_json(body)
    except ValidationError as error:
        # Without what it sent: that may be anything, and would stand in the log.
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "answer"
        raise CatalogueRefusalError(
            f"the catalogue answered with something else than products: {where}: {first['msg']}"
        ) from None


def _kind(error: Exception) -> str:
    """What went wrong, without addresses or headers: the innermost exception's name."""
    reason = getattr(error, "reason", None)
    return _kind(reason) if isinstance(reason, Exception) else type(error).__name__
