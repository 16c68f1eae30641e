"""The report as text, as a comment and as a page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from review import exports
from review.document import Document, document
from review.errors import ReviewError
from review.judgement import Judgement, judge
from review.judgement.verdict import Exit
from review.markdown import markdown
from review.page import page
from review.text import text
from tests.rehearsal.handmade import component, export, resource

REGISTRY = "azure-native:containerregistry:Registry"
EVIL = "<script>alert('x')</script> | `a` **b** @everybody #12"
ACK = "public:staging/registry/Registry.registry"
VOID = {"meta", "link", "br", "img"}


def judged(properties: int = 3, *, opened: bool = True, secret: str = "") -> Judgement:
    owner = component("registry:TierRegistry", "registry")

    def state(side: str) -> Any:
        inputs: dict[str, Any] = {f"p{number:03}": f"{side} {number} {EVIL}" for number in range(properties)}
        inputs["publicNetworkAccess"] = "Enabled" if side == "new" and opened else "Disabled"
        inputs["adminPassword"] = f"{secret}{side}"
        return export(owner, resource(REGISTRY, "registry", owner["urn"], inputs=inputs))

    return judge(exports.changes(state("old"), state("new")))


@pytest.fixture
def made() -> Document:
    return document([judged()])


def nothing() -> Document:
    state = export(component("registry:TierRegistry", "registry"))
    return document([judge(exports.changes(state, state))])


def test_every_rendering_has_the_danger_first(made: Document) -> None:
    order = (
        made.verdict.head,
        ACK,
        "Replaced or deleted",
        "Security that gets weaker",
        "What it costs",
        "old 1 ",
        "Counts",
    )
    for rendered in (text(made), page(made)):
        places = [rendered.index(words) for words in order]
        assert places == sorted(places)
    comment = markdown(made)  # leaves out what there is none of
    places = [comment.index(words) for words in (ACK, "Security that gets weaker", "old 1 ", "Counts")]
    assert places == sorted(places)


def test_no_change_is_one_line_and_the_counts() -> None:
    made = nothing()

    assert made.exit is Exit.NO_CHANGE
    assert text(made) == "No change.\nstaging: 0 unchanged"
    assert "No change." in markdown(made)
    assert "Changes by component" not in page(made)


def test_secrets_appear_nowhere() -> None:
    made = document([judged(secret="hunter2")])

    for rendered in (text(made), markdown(made), page(made)):
        assert "hunter2" not in rendered
        assert "adminPassword" in rendered


def test_what_is_acknowledged_is_no_longer_asked_for() -> None:
    made = document([judged()], [ACK])

    assert (made.exit, made.open) == (Exit.CHANGES, ())
    assert "ACK=" not in text(made)


def test_an_acknowledgement_of_something_else_is_refused() -> None:
    with pytest.raises(ReviewError, match=f"ACK names deleted:x, which this change does not do. To acknowledge: {ACK}"):
        document([judged()], ["deleted:x"])
    with pytest.raises(ReviewError, match="Nothing has to be acknowledged"):
        document([judged(opened=False)], [ACK])


def rows(rendered: str) -> list[str]:
    return [line for line in rendered.splitlines() if line.startswith("|")]


@pytest.mark.parametrize("limit", [*range(700, 4000, 97), 60_000])
def test_a_comment_is_cut_between_rows_with_a_pointer(limit: int) -> None:
    whole = document([judged(400 if limit == 60_000 else 25)])
    complete = markdown(whole, limit=10**9)

    cut = markdown(whole, limit=limit, pointer="[the page](https://ci.example/1)")

    assert len(cut) <= limit < len(complete)
    assert [line for line in content(cut) if line not in content(complete)] == []
    (left,) = re.findall(r"\*\*Cut here: (\d+) lines? more in \[the page\]", cut.splitlines()[-1])
    assert len(content(cut)) + int(left) == len(content(complete))
    for part in cut.split("\n### ")[1:]:
        assert content(part), "a heading, or the head of a table, goes without lines"


def content(rendered: str) -> list[str]:
    """Findings and rows, without what stands around them."""
    heads = ("| | resource", "|---")
    return [line for line in rendered.splitlines() if line.startswith(("- ", "|")) and not line.startswith(heads)]


def test_a_comment_with_no_room_for_the_verdict_is_refused(made: Document) -> None:
    with pytest.raises(ValueError, match="do not hold the verdict"):
        markdown(made, limit=100)


def test_every_row_of_a_table_has_all_its_cells(made: Document) -> None:
    for row in rows(markdown(made)):
        assert len(re.findall(r"(?<!\\)\|", row)) == 6


def test_values_cannot_mark_up_a_comment(made: Document) -> None:
    for row in rows(markdown(made)):
        outside = re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", row)
        assert not re.search(r"<script|@everybody|#12", outside)


class Reader(HTMLParser):
    """Checks that what is opened is closed, and collects what a page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.refers: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, given in attrs:
            if name in ("src", "href", "action", "data", "srcset"):
                self.refers.append(given or "")
            if name == "id":
                self.ids.append(given or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(rendered: str) -> Reader:
    reader = Reader()
    reader.feed(rendered)
    reader.close()
    return reader


def test_a_page_is_whole_and_asks_for_nothing(made: Document) -> None:
    rendered = page(made)
    reader = read(rendered)

    assert reader.open == []
    assert "script" not in reader.tags
    assert all(each == "data:," or (each.startswith("#") and each[1:] in reader.ids) for each in reader.refers)
    assert "url(" not in rendered
    assert "@import" not in rendered
    assert len(reader.ids) == len(set(reader.ids))


def test_a_page_is_dark_light_and_printable(made: Document) -> None:
    rendered = page(made)

    assert "prefers-color-scheme: dark" in rendered
    assert "@media print" in rendered
