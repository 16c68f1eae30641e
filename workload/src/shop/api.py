"""What the service answers over HTTP. What goes wrong is told as problem details (RFC 9457), except a body that
is too large, which the framework refuses in its own words before it is read.

An order is judged, priced and answered. It is not kept: a real shop would hand it on here.
"""

from __future__ import annotations

import http
import logging
import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Path, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import JSONResponse

from shop.catalogue import PRODUCT_ID, Catalogue, CatalogueError, Product
from shop.metrics import Measured, Metrics, is_probe
from shop.secret import SecretError, SecretFile
from shop.server import Lifecycle

_log = logging.getLogger(__name__)

MAX_BODY_BYTES = 16_384

ProductId = Annotated[str, Field(max_length=64, pattern=PRODUCT_ID)]


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    product: ProductId
    quantity: int = Field(ge=1, le=100)


class Confirmation(BaseModel):
    id: uuid.UUID
    product: str
    quantity: int
    total_cents: int


class Version(BaseModel):
    """What is running, so that a test can tell that it tests what was released."""

    name: str = "shop"
    commit: str | None
    digest: str | None


class Health(BaseModel):
    status: str


def create(
    catalogue: Catalogue,
    secret: SecretFile,
    metrics: Metrics,
    lifecycle: Lifecycle,
    version: Version,
) -> FastAPI:
    app = FastAPI(
        title="shop",
        docs_url=None,
        redoc_url=None,
        max_body_size=MAX_BODY_BYTES,
        # Prometheus has the metrics. A request is one span, what it waits for adds others; a probe is none.
        telemetry={"metrics": False, "operation_spans": False, "exclude": is_probe},
    )
    app.add_middleware(Measured, metrics=metrics, lifecycle=lifecycle)

    @app.get("/health/live")
    async def live() -> Health:
        """The event loop turns. What the service depends on is not asked: a restart would not mend it."""
        return Health(status="live")

    @app.get("/health/ready")
    async def ready() -> Health:
        """Whether to send requests here. The catalogue is not asked: its failure would take all pods away at once.

        Not in a thread: while all of them wait for a slow catalogue, the pod is slow, but ready.
        """
        if lifecycle.stopping:
            raise HTTPException(http.HTTPStatus.SERVICE_UNAVAILABLE, "the process is stopping")
        try:
            secret.read()
        except SecretError as error:
            raise HTTPException(http.HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from None
        return Health(status="ready")

    @app.get("/version")
    async def running() -> Version:
        return version

    @app.get("/products")
    def products() -> list[Product]:
        return catalogue.products()

    @app.get("/products/{identifier}")
    def product(identifier: Annotated[str, Path(max_length=64, pattern=PRODUCT_ID)]) -> Product:
        found = catalogue.product(identifier)
        if found is None:
            raise HTTPException(http.HTTPStatus.NOT_FOUND, f"there is no product {identifier}")
        return found

    @app.post("/orders", status_code=http.HTTPStatus.CREATED)
    def order(wanted: Order) -> Confirmation:
        found = catalogue.product(wanted.product)
        if found is None:
            raise UnprocessableError([{"field": "product", "problem": f"there is no product {wanted.product}"}])
        confirmed = Confirmation(
            id=uuid.uuid4(),
            product=found.id,
            quantity=wanted.quantity,
            total_cents=found.price_cents * wanted.quantity,
        )
        _log.info("order confirmed", extra={"order": str(confirmed.id), **confirmed.model_dump(exclude={"id"})})
        return confirmed

    _handle_problems(app)
    return app


class UnprocessableError(Exception):
    """A request that can be read, but not done."""

    def __init__(self, errors: Sequence[dict[str, str]]) -> None:
        super().__init__("the request cannot be done")
        self.errors = list(errors)


def problem(status: int, detail: str, **more: Any) -> JSONResponse:
    title = http.HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": int(status), "detail": detail, **more}
    return JSONResponse(body, status, media_type="application/problem+json")


def _field(error: Mapping[str, Any]) -> str:
    """Where in the request it is, as a customer would say: `quantity`, or `body` when the whole cannot be read."""
    place, *inside = error["loc"]
    return ".".join(str(part) for part in inside if isinstance(part, str)) or str(place)


def _handle_problems(app: FastAPI) -> None:
    @app.exception_handler(StarletteHTTPException)
    async def said(request: Request, error: StarletteHTTPException) -> JSONResponse:
        answer = problem(error.status_code, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(UnprocessableError)
    async def undoable(request: Request, error: UnprocessableError) -> JSONResponse:
        return problem(http.HTTPStatus.UNPROCESSABLE_ENTITY, str(error), errors=error.errors)

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        # Without what was sent: it is the customer's, and may be anything.
        errors = [{"field": _field(each), "problem": str(each["msg"])} for each in error.errors()]
        return problem(http.HTTPStatus.UNPROCESSABLE_ENTITY, "the request is not as agreed", errors=errors)

    @app.exception_handler(CatalogueError)
    async def without_products(request: Request, error: CatalogueError) -> JSONResponse:
        _log.warning("no products: %s", error.reason)
        return problem(error.status, "products cannot be had at the moment")

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        # Server and FastAPI log it: the one on standard output, the other to Application Insights.
        return problem(http.HTTPStatus.INTERNAL_SERVER_ERROR, "the request failed; the log says why")
