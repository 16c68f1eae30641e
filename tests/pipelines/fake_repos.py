"""Azure Repos on the loopback interface, as far as a release proposes and merges: a real git repository behind its API.

Stricter than the real one: a version of the API, a token, a field or a branch that is not as it should be is refused.
A pull request is merged when somebody has asked for that, the build is green, and whoever a folder needs has consented.
What it does not do: it builds nothing; what the build says is what a test says.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PROJECT = "0f5c1d9e-1111-2222-3333-444455556666"
TOKEN = "the-token-of-the-release"
RELEASE = "7a000000-0000-4000-8000-000000000001"
"""Id of the release's identity in the organisation."""
MAIN = "refs/heads/main"

Json = dict[str, Any]


class RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class FakeRepos:
    directory: Path
    """Of the bare repository."""
    url: str = ""
    build: str = "approved"
    """What the build of a pull request comes to: approved, rejected, running."""
    consenting: str = RELEASE
    """Whose consent changes below environments/ need."""
    race: Callable[[FakeRepos], None] | None = None
    """Happens once, when a pull request is made: somebody else merges first."""
    requests: dict[int, Json] = field(default_factory=dict)
    late: list[int] = field(default_factory=list)
    """Answers that come before any other."""

    def git(self, *arguments: str, feed: str | None = None, **environment: str) -> str:
        names = {f"GIT_{who}_{what}": "Test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.directory,
            input=feed,
            capture_output=True,
            text=True,
            check=True,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.directory), **names, **environment},
        )
        return done.stdout.strip()

    def start(self, files: dict[str, str]) -> None:
        self.directory.mkdir()
        self.git("init", "--bare", "--quiet", "--initial-branch=main")
        self.git("update-ref", MAIN, self.commit(None, dict(files), (), "seed"))

    def commit(self, base: str | None, written: dict[str, str], deleted: tuple[str, ...], message: str) -> str:
        """A commit on a base with files written and deleted; paths without the first slash."""
        index = {"GIT_INDEX_FILE": str(self.directory / "index-of-the-test")}
        self.git("read-tree", base or "--empty", **index)
        for path, content in written.items():
            blob = self.git("hash-object", "-w", "--stdin", feed=content)
            self.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", **index)
        for path in deleted:
            self.git("update-index", "--force-remove", path, **index)
        tree = self.git("write-tree", **index)
        return self.git("commit-tree", tree, *(["-p", base] if base else []), "-m", message)

    def files(self, ref: str = MAIN) -> dict[str, str]:
        listed = self.git("ls-tree", "-r", "--name-only", ref).split()
        return {path: self.git("show", f"{ref}:{path}") for path in listed}

    def merge_of_others(self, written: dict[str, str]) -> None:
        head = self.git("rev-parse", MAIN)
        self.git("update-ref", MAIN, self.commit(head, written, (), "somebody else"))

    def log(self) -> list[str]:
        return self.git("log", "--format=%s", MAIN).splitlines()

    @property
    def branches(self) -> set[str]:
        return set(self.git("for-each-ref", "--format=%(refname)", "refs/heads").split())

    # ---------------------------------------------------------------- the API

    def answer(self, method: str, path: str, query: dict[str, str], token: str | None, body: Any) -> Any:
        if token != f"Bearer {TOKEN}":
            raise RefusedError(401, "TF400813: The user is not authorized")
        if path == f"/example/{PROJECT}/_apis/policy/evaluations":
            return self._evaluations(query)
        base = f"/example/{PROJECT}/_apis/git/repositories/configuration/"
        if not path.startswith(base) or query.pop("api-version", None) != "7.1":
            raise RefusedError(404, f"nothing is at {path}, or the api-version is not 7.1")
        what = path.removeprefix(base)
        if (method, what) == ("GET", "refs"):
            names = [each for each in self.branches if each.startswith(f"refs/{query['filter']}")]
            return {"value": [{"name": each, "objectId": self.git("rev-parse", each)} for each in sorted(names)]}
        if (method, what) == ("GET", "items"):
            return self._items(query)
        if (method, what) == ("POST", "pushes"):
            return self._push(body)
        if (method, what) == ("POST", "pullrequests"):
            return self._propose(body)
        if found := re.fullmatch(r"pullRequests/(\d+)(/reviewers/([\w-]+))?", what):
            return self._request(method, int(found[1]), found[3], body)
        raise RefusedError(405, f"{method} {what}")

    def _items(self, query: dict[str, str]) -> Any:
        commit = query["versionDescriptor.version"]
        assert query["versionDescriptor.versionType"] == "commit"
        if "path" in query:
            assert query["includeContent"] == "true"
            spec = f"{commit}:{query['path'].lstrip('/')}"
            done = subprocess.run(["git", "show", spec], cwd=self.directory, capture_output=True, check=False)
            if done.returncode:
                raise RefusedError(404, f"TF401174: {query['path']} could not be found")
            return {"path": query["path"], "content": done.stdout.decode()}
        assert query["recursionLevel"] == "full"
        scope = query["scopePath"].lstrip("/")
        listed = [each for each in self.git("ls-tree", "-r", "--name-only", commit, scope).split() if each]
        if not listed:
            raise RefusedError(404, f"TF401174: {scope} could not be found")
        folder = {"path": f"/{scope}", "gitObjectType": "tree"}
        return {"value": [folder, *({"path": f"/{each}", "gitObjectType": "blob"} for each in listed)]}

    def _push(self, body: Json) -> Any:
        ((update,), (commit,)) = body["refUpdates"], body["commits"]
        name, base = update["name"], update["oldObjectId"]
        if name == MAIN:
            raise RefusedError(403, "TF402455: Pushes to this branch are not permitted; you must use a pull request")
        if name in self.branches or self.git("cat-file", "-t", base) != "commit":
            raise RefusedError(409, f"TF401028: {name} has been updated by another client")
        there = self.git("ls-tree", "-r", "--name-only", base).split()
        written, deleted = {}, []
        for change in commit["changes"]:
            path = change["item"]["path"].lstrip("/")
            if (change["changeType"] == "add") == (path in there):
                raise RefusedError(400, f"TF401000: {change['changeType']} of {path}")
            if change["changeType"] == "delete":
                deleted.append(path)
            else:
                assert change["newContent"]["contentType"] == "rawtext"
                written[path] = change["newContent"]["content"]
        made = self.commit(base, written, tuple(deleted), commit["comment"])
        self.git("update-ref", name, made)
        return {"refUpdates": [{"name": name, "newObjectId": made}]}

    def _propose(self, body: Json) -> Any:
        assert body["targetRefName"] == MAIN
        assert body["sourceRefName"] in self.branches
        number = len(self.requests) + 1
        self.requests[number] = {
            "pullRequestId": number,
            "status": "active",
            "mergeStatus": "succeeded",
            "createdBy": {"id": RELEASE},
            "repository": {"project": {"id": PROJECT}},
            "votes": {},
            **body,
        }
        if self.race:
            race, self.race = self.race, None
            race(self)
        return self.requests[number]

    def _request(self, method: str, number: int, reviewer: str | None, body: Any) -> Any:
        request = self.requests[number]
        if reviewer:
            assert (method, reviewer) == ("PUT", RELEASE), "nobody consents for somebody else"
            request["votes"][reviewer] = body["vote"]
        elif method == "PATCH":
            if body.get("status") == "abandoned":
                request["status"] = "abandoned"
            else:
                assert body["completionOptions"]["mergeStrategy"] == "squash"
                assert not body["completionOptions"].get("bypassPolicy"), "no policy is passed by"
                request["asked"] = body
        self._complete(request)
        return request

    def _complete(self, request: Json) -> None:
        if request["status"] != "active":
            return
        base = self.git("merge-base", MAIN, request["sourceRefName"])
        changed = set(self.git("diff", "--name-only", base, request["sourceRefName"]).split())
        if changed & set(self.git("diff", "--name-only", base, MAIN).split()):
            request["mergeStatus"] = "conflicts"
            return
        released = all(each.startswith("environments/") for each in changed)
        consent = request["votes"].get(self.consenting) == 10 and released
        if request.get("asked") and self.build == "approved" and consent:
            files = self.files(request["sourceRefName"])
            written = {path: content for path, content in files.items() if path in changed}
            gone = tuple(sorted(changed - files.keys()))
            message = request["asked"]["completionOptions"]["mergeCommitMessage"]
            made = self.commit(self.git("rev-parse", MAIN), written, gone, message)
            self.git("update-ref", MAIN, made)
            self.git("update-ref", "-d", request["sourceRefName"])
            request |= {"status": "completed", "lastMergeCommit": {"commitId": made}}

    def _evaluations(self, query: dict[str, str]) -> Any:
        assert query["api-version"] == "7.1-preview.1"
        number = int(query["artifactId"].removeprefix(f"vstfs:///CodeReview/CodeReviewId/{PROJECT}/"))
        consent = "approved" if self.requests[number]["votes"].get(self.consenting) == 10 else "rejected"
        said = (
            ("Build", "Checks of the pull request", self.build),
            ("Required reviewers", "Only a release", consent),
        )
        return {
            "value": [
                {
                    "status": status,
                    "configuration": {
                        "isBlocking": True,
                        "isEnabled": True,
                        "type": {"displayName": kind},
                        "settings": {"displayName": name},
                    },
                }
                for kind, name, status in said
            ]
        }


@contextlib.contextmanager
def served(repos: FakeRepos) -> Iterator[FakeRepos]:
    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            parts = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(parts.query))
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status: int
            try:
                if repos.late:
                    raise RefusedError(repos.late.pop(0), "later")
                path = urllib.parse.unquote(parts.path)
                said = repos.answer(self.command, path, query, self.headers.get("Authorization"), body)
                status = 200
            except RefusedError as error:
                status, said = error.status, {"message": str(error)}
            except (AssertionError, KeyError, ValueError, subprocess.CalledProcessError) as error:
                status, said = 400, {"message": f"{type(error).__name__}: {error}"}
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = _handle  # noqa: N815 - names of the base class

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    repos.url = f"http://127.0.0.1:{server.server_address[1]}/example/"
    try:
        yield repos
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
