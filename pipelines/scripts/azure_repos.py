"""A repository of Azure Repos by its REST API: read a folder, propose another one, and see it merged.

A change of `main` is a pull request. Whoever proposes it here consents to it, which counts where a policy says so, and
leaves the merge to Azure DevOps: that completes a request by itself once every policy that blocks is content. No policy
is passed by. A request that cannot be merged is abandoned, so that nothing of it is merged later on.

Shapes: Azure DevOps REST API 7.1, Git (Refs, Items, Pushes, Pull Requests, Reviewers) and Policy (Evaluations). What it
does not do: it knows nothing of what lies in a folder.
"""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.scripts.commands import CommandError
from pipelines.scripts.http_json import HttpError, Service

RESOURCE = "499b84ac-1321-427f-aa17-267ca6975798"
"""Azure DevOps, to Entra ID."""
MAIN = "refs/heads/main"
VERSION = "7.1"
POLICIES = "7.1-preview.1"
APPROVED = 10

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Proposal:
    """A pull request that is open."""

    number: int
    author: str
    """Id of whoever made it, as Azure DevOps knows it."""
    project: str


@dataclass(frozen=True)
class Repository:
    service: Service
    """At the organisation."""
    project: str
    """Id or name."""
    name: str

    def head(self) -> str:
        """The commit that `main` is at."""
        found = self._get("refs", filter="heads/main")["value"]
        wanted = [each["objectId"] for each in found if each["name"] == MAIN]
        if not wanted:
            raise CommandError(f"{self.name}: has no branch main; seed it, or take it from the stack that owns it")
        return str(wanted[0])

    def files(self, folder: str, commit: str) -> dict[str, str]:
        """What lies below a folder (`/environments/prod`), by path from there; nothing where there is no folder."""
        at: dict[str, str | int] = {"versionDescriptor.version": commit, "versionDescriptor.versionType": "commit"}
        try:
            listed = self._get("items", scopePath=folder, recursionLevel="full", **at)["value"]
        except HttpError as error:
            if error.status == 404:
                return {}
            raise
        paths = [each["path"] for each in listed if each.get("gitObjectType") == "blob"]
        return {
            path.removeprefix(f"{folder}/"): str(self._get("items", path=path, includeContent="true", **at)["content"])
            for path in paths
        }

    def propose(
        self, folder: str, files: Mapping[str, str], *, base: str, branch: str, title: str, description: str
    ) -> Proposal:
        """A pull request that makes the folder hold exactly these files. `base`: the commit that they were read at."""
        before = self.files(folder, base)
        changes = [
            {
                "changeType": "edit" if path in before else "add",
                "item": {"path": f"{folder}/{path}"},
                "newContent": {"content": content, "contentType": "rawtext"},
            }
            for path, content in sorted(files.items())
            if before.get(path) != content
        ]
        changes += [
            {"changeType": "delete", "item": {"path": f"{folder}/{path}"}}
            for path in sorted(before.keys() - files.keys())
        ]
        pushed = {
            "refUpdates": [{"name": f"refs/heads/{branch}", "oldObjectId": base}],
            "commits": [{"comment": title, "changes": changes}],
        }
        self._post("pushes", pushed)
        asked = {
            "sourceRefName": f"refs/heads/{branch}",
            "targetRefName": MAIN,
            "title": title,
            "description": description,
        }
        made = self._post("pullrequests", asked)
        proposal = Proposal(
            int(made["pullRequestId"]), str(made["createdBy"]["id"]), str(made["repository"]["project"]["id"])
        )
        self._consent(proposal, title)
        return proposal

    def _consent(self, proposal: Proposal, title: str) -> None:
        base, author = f"pullRequests/{proposal.number}", proposal.author
        query = {"api-version": VERSION}
        self.service.put(self._path(f"{base}/reviewers/{author}"), query, {"vote": APPROVED})
        completed = {
            "autoCompleteSetBy": {"id": author},
            "completionOptions": {"mergeStrategy": "squash", "deleteSourceBranch": True, "mergeCommitMessage": title},
        }
        self.service.patch(self._path(base), query, completed)

    def merged(self, proposal: Proposal, seconds: float, pause: Callable[[float], None] = time.sleep) -> str:
        """The commit that it became on `main`. CommandError when it does not become one; it is then abandoned."""
        waited = 0.0
        against = ""
        while True:
            found = self._get(f"pullRequests/{proposal.number}")
            if found["status"] == "completed":
                return str(found["lastMergeCommit"]["commitId"])
            if found["status"] == "abandoned":
                raise CommandError(f"pull request {proposal.number}: was abandoned by somebody; nothing was released")
            final, against = self._against(proposal, found)
            if final or waited >= seconds:
                break
            pause(5)
            waited += 5
        self.service.patch(
            self._path(f"pullRequests/{proposal.number}"), {"api-version": VERSION}, {"status": "abandoned"}
        )
        late = "" if final else f" within {seconds:g} s"
        raise CommandError(f"pull request {proposal.number}: was not merged{late}: {against}; nothing was released")

    def _against(self, proposal: Proposal, found: Json) -> tuple[bool, str]:
        """What keeps it from being merged, and whether that will stay so."""
        if found.get("mergeStatus") in ("conflicts", "failure", "rejectedByPolicy"):
            words = found.get("mergeFailureMessage") or "main has changed the same files meanwhile; run it again"
            return True, f"{found['mergeStatus']}: {words}"
        artifact = f"vstfs:///CodeReview/CodeReviewId/{proposal.project}/{proposal.number}"
        path = f"/{urllib.parse.quote(self.project)}/_apis/policy/evaluations"
        asked = {"artifactId": artifact, "api-version": POLICIES}
        judged = [
            each
            for each in self.service.get(path, asked).body["value"]
            if each["configuration"].get("isBlocking") and each["configuration"].get("isEnabled")
        ]
        refused = [_policy(each) for each in judged if each["status"] in ("rejected", "broken")]
        built = [_policy(each) for each in judged if each["status"] in ("rejected", "broken") and _is_build(each)]
        waiting = [_policy(each) for each in judged if each["status"] in ("queued", "running")]
        # A review that is missing is "rejected" until it comes; a build that was red stays so.
        return bool(built), "; ".join(refused or waiting) or "no policy has said anything against it"

    def _get(self, what: str, **asked: str | int) -> Json:
        found: Json = self.service.get(self._path(what), {**asked, "api-version": VERSION}).body
        return found

    def _post(self, what: str, body: Any) -> Json:
        found: Json = self.service.post(self._path(what), {"api-version": VERSION}, json.dumps(body).encode()).body
        return found

    def _path(self, what: str) -> str:
        return f"/{urllib.parse.quote(self.project)}/_apis/git/repositories/{urllib.parse.quote(self.name)}/{what}"


def _policy(evaluation: Json) -> str:
    settings = evaluation["configuration"].get("settings", {})
    name = settings.get("displayName") or settings.get("message") or evaluation["configuration"]["type"]["displayName"]
    return f"{name} ({evaluation['status']})"


def _is_build(evaluation: Json) -> bool:
    return bool(evaluation["configuration"]["type"]["displayName"] == "Build")
