"""Whether the ids in a request lead anywhere.

Every string that is an ARM id must belong to a known subscription and exist; role definitions must be
built-in roles that the stand-in knows. In a preview only the subscription, the shape and the role are
judged, because what the id names may be made by the same run.
"""

from __future__ import annotations

import re

from rehearsal.cloud import arm
from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.kinds import Request
from rehearsal.cloud.roles import ROLES
from rehearsal.cloud.world import references

_INDEX = re.compile(r"\[\d+\]")


def check_references(request: Request, *, preview: bool) -> None:
    for path, value in references(request.inputs):
        subscription = arm.subscription_of(value)
        if not request.world.knows_subscription(subscription):
            raise CloudError(
                "SubscriptionNotFound",
                f"The subscription '{subscription}' in '{path}' ({value}) could not be found.",
            )
        if "/roledefinitions/" in value.lower():
            _check_role(path, value)
            continue
        if not arm.well_formed(value):
            raise CloudError("LinkedInvalidPropertyId", f"Property id '{value}' at path '{path}' is invalid.")
        _check_type(request, path, value)
        if not preview and not request.world.exists(value):
            code = request.kind.reference_code
            raise CloudError(code, f"Resource {value} referenced by '{path}' of {request.id} was not found.")


def _check_role(path: str, value: str) -> None:
    guid = arm.role_guid(value)
    if guid is None:
        raise CloudError("LinkedInvalidPropertyId", f"Property id '{value}' at path '{path}' is invalid.")
    if guid not in ROLES:
        raise CloudError(
            "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{guid}' does not exist."
        )


def _check_type(request: Request, path: str, value: str) -> None:
    wanted = request.kind.links.get(_INDEX.sub("[*]", path))
    if wanted is not None and arm.type_of(value).lower() != wanted.lower():
        raise CloudError(
            "LinkedInvalidPropertyId",
            f"Property id '{value}' at path '{path}' is invalid: it must be a {wanted}.",
        )
