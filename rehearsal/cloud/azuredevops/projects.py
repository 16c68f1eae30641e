"""Projects and their settings, and the extensions of the organisation."""

from __future__ import annotations

import re
from typing import Any, Final

from rehearsal.cloud.answers import UNKNOWN
from rehearsal.cloud.azuredevops.beginnings import built_in
from rehearsal.cloud.azuredevops.kinds import (
    EXTENSION,
    PROJECT,
    DevOpsKind,
    Request,
    one_of,
    refuse_unless,
    same,
    token,
)
from rehearsal.cloud.values import guid
from rehearsal.cloud.world import Resource

# Source: Microsoft's page "Naming restrictions and conventions" of Azure DevOps.
_ILLEGAL: Final = re.compile(r"[\x00-\x1f\\/:*?\"<>|;#${},+=\[\]~&%@']")
_RESERVED: Final = frozenset(
    "AUX COM1 COM2 COM3 COM4 COM5 COM6 COM7 COM8 COM9 COM10 CON DefaultCollection LPT1 LPT2 LPT3 LPT4 LPT5 LPT6 LPT7 "
    "LPT8 LPT9 NUL PRN SERVER SignalR Web WEB App_Browsers App_code App_Data App_GlobalResources App_LocalResources "
    "App_Themes App_WebResources bin web.config".lower().split()
)
_FEATURES: Final = ("boards", "repositories", "pipelines", "testplans", "artifacts")
# The process templates that every organisation has.
_TEMPLATES: Final = ("Agile", "Basic", "CMMI", "Scrum")


def _name(request: Request) -> None:
    name = request.text("name")
    fits = (
        len(name) <= 64
        and not _ILLEGAL.search(name)
        and not name.startswith(("_", "."))
        and not name.endswith((".", " "))
        and name.lower() not in _RESERVED
    )
    refuse_unless(
        fits,
        "InvalidProjectName",
        f"The project name '{name}' is not valid: at most 64 characters, none of \\/:*?\"<>|;#${{}},+=[]~&%@', no '_' "
        "or '.' first, no '.' last, and no name that the system keeps for itself.",
    )


def _features(request: Request) -> None:
    for feature, state in dict(request.get("features", {})).items():
        refuse_unless(
            feature in _FEATURES and state in ("enabled", "disabled", UNKNOWN),
            "InvalidValue",
            f"unknown feature or state {feature}={state}: features are {', '.join(_FEATURES)}, enabled or disabled",
        )


def _name_is_free(request: Request) -> None:
    for other in request.there.of(PROJECT):
        refuse_unless(
            other.id == request.id or not same(other.name, request.name),
            "TF200019",
            f"The following project already exists on the Azure DevOps Server: {request.name}. You cannot create a "
            "new project with the same name as an existing project.",
        )


def _project(request: Request) -> dict[str, Any]:
    return {"processTemplateId": guid("process", request.text("workItemTemplate") or "Agile")}


def _brings(request: Request) -> list[Resource]:
    return list(built_in(Resource(request.id, PROJECT, request.name, request.inputs, {})))


def _installed_once(request: Request) -> None:
    full = f"{request.text('publisherId')}.{request.text('extensionId')}"
    installed = request.old is None and request.there.find(EXTENSION, request.id) is not None
    refuse_unless(not installed, "TF1590010", f"Extension {full} is already installed in this organization.")


def _extension(request: Request) -> dict[str, Any]:
    return {
        "extensionName": request.text("extensionId"),
        "publisherName": request.text("publisherId"),
        "version": request.get("version", "1.0.0"),
        "disabled": request.get("disabled", False),
        "scopes": [],
    }


def _of_project(request: Request) -> str:
    return request.project or "unknown"


KINDS: Final = (
    DevOpsKind(
        PROJECT,
        name_input="name",
        autonamed=True,
        force_new=("versionControl", "workItemTemplate"),
        defaults={"visibility": "private", "versionControl": "Git", "workItemTemplate": "Agile"},
        compute=_project,
        brings=_brings,
        shape=(
            _name,
            _features,
            one_of("visibility", "private", "public"),
            one_of("versionControl", "Git", "Tfvc"),
            one_of("workItemTemplate", *_TEMPLATES),
        ),
        world=(_name_is_free,),
    ),
    DevOpsKind(
        token("ProjectFeatures"),
        required=("projectId", "features"),
        identify=_of_project,
        links={"projectId": PROJECT},
        force_new=("projectId",),
        shape=(_features,),
    ),
    DevOpsKind(
        token("ProjectPipelineSettings"),
        required=("projectId",),
        identify=_of_project,
        links={"projectId": PROJECT},
        force_new=("projectId",),
        # What a new organisation asks of its projects; settings of the organisation override those of a project.
        defaults={
            "enforceJobScope": True,
            "enforceJobScopeForRelease": True,
            "enforceReferencedRepoScopedToken": True,
            "enforceSettableVar": True,
            "publishPipelineMetadata": False,
            "statusBadgesArePrivate": True,
        },
    ),
    DevOpsKind(
        EXTENSION,
        required=("publisherId", "extensionId"),
        identify=lambda request: f"{request.text('publisherId')}/{request.text('extensionId')}",
        force_new=("publisherId", "extensionId"),
        compute=_extension,
        world=(_installed_once,),
    ),
)
