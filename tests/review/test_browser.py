"""The page in a real browser: it asks for nothing, works by keyboard, and has no error of accessibility."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from review import exports
from review.document import document
from review.judgement import Judgement, judge
from review.model import Changes
from review.page import page
from review.picture import picture
from tests.conftest import Rehearsed
from tests.review.edits import adding, both, edited, renamed, setting, without

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
AXE = Path(str(axe_playwright_python.__file__)).with_name("axe.min.js")
"""axe-core, as the package carries it: installed along, and no download when a test runs."""
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]

DANGER = both(
    setting("Registry", "registry", publicNetworkAccess="Enabled"),
    setting("AgentPool", "pool-apps", vmSize="Standard_D16ds_v5"),
    setting("Workspace", "workspace", retentionInDays=30),
    without("CheckApproval", "environment-approval"),
    adding("RoleAssignment", "somebody", "kubelet-pulls"),
    renamed("TierRegistry", "registry", "images", alias=True),
)
CALM = setting("ManagedCluster", "cluster", kubernetesVersion="1.37")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(rehearsed: Mapping[str, Rehearsed], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """A page for each verdict, and what it is made from."""
    place = tmp_path_factory.mktemp("pages")
    prod, staging = (dict(rehearsed[stack].export) for stack in ("prod", "staging"))
    found: dict[str, list[Changes]] = {
        "danger": [exports.changes(prod, edited(prod, DANGER)), exports.changes(staging, edited(staging, CALM))],
        "calm": [exports.changes(prod, edited(prod, CALM))],
        "nothing": [exports.changes(prod, prod)],
    }
    for name, changes in found.items():
        judged: list[Judgement] = [judge(each) for each in changes]
        acks = judged[0].acks[:1] if name == "danger" else ()
        made = document(judged, acks, ("Before: an export.",))
        (place / f"{name}.html").write_text(page(made, picture=picture(changes) if name != "nothing" else ""), "utf-8")
    return {name: place / f"{name}.html" for name in found}


def opened(browser: Browser, path: Path, *, wide: int = 1280, scheme: Any = "light") -> Page:
    context = browser.new_context(viewport={"width": wide, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
    shown = context.new_page()
    shown.goto(path.as_uri())
    return shown


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["danger", "calm", "nothing"])
def test_the_page_has_no_error_of_accessibility(
    name: str, scheme: str, browser: Browser, pages: Mapping[str, Path]
) -> None:
    shown = opened(browser, pages[name], scheme=scheme)
    shown.evaluate(AXE.read_text("utf-8"))

    # The picture is one image with a description to whoever does not see it; axe cannot tell text over its shapes.
    found = shown.evaluate("axe.run({exclude: ['.topology svg']})")
    shown.context.close()

    told = [(each["id"], [node["target"] for node in each["nodes"]]) for each in found["violations"]]
    assert told == []
    assert len(found["passes"]) > 10
    unsure = {check["message"] for each in found["incomplete"] for node in each["nodes"] for check in node["any"]}
    assert unsure <= {"Element content contains only non-text characters"}, "signs stand beside their words"


def test_the_page_asks_for_nothing_and_has_no_errors(browser: Browser, pages: Mapping[str, Path]) -> None:
    context = browser.new_context()
    shown = context.new_page()
    asked: list[str] = []
    problems: list[str] = []
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("console", lambda message: problems.append(message.text))
    shown.on("pageerror", lambda error: problems.append(str(error)))

    shown.goto(pages["danger"].as_uri())
    shown.wait_for_load_state("networkidle")
    context.close()

    assert asked == [pages["danger"].as_uri()]
    assert problems == []


@pytest.mark.parametrize("wide", [360, 1280])
@pytest.mark.parametrize("name", ["danger", "calm", "nothing"])
def test_the_verdict_is_seen_first_and_nothing_is_cut_off(
    name: str, wide: int, browser: Browser, pages: Mapping[str, Path]
) -> None:
    shown = opened(browser, pages[name], wide=wide)

    place = shown.locator("h1").bounding_box()
    overflows = shown.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    shown.context.close()

    assert place is not None
    assert place["y"] + place["height"] < 300
    assert not overflows


def test_the_keyboard_leads_from_a_finding_to_its_change(browser: Browser, pages: Mapping[str, Path]) -> None:
    shown = opened(browser, pages["danger"])

    shown.keyboard.press("Tab")
    assert shown.evaluate("document.activeElement.className") == "skip"
    shown.keyboard.press("Enter")
    assert shown.evaluate("document.activeElement.id") == "findings"
    shown.keyboard.press("Tab")
    target = shown.evaluate("document.activeElement.getAttribute('href')")
    shown.keyboard.press("Enter")
    aim = shown.locator(target)
    seen = aim.evaluate("each => { const r = each.getBoundingClientRect(); return r.top >= 0 && r.top < innerHeight }")
    words = aim.inner_text()
    shown.context.close()

    assert target.startswith("#c-prod-")
    assert seen
    assert "replace" in words


def test_a_component_folds_by_keyboard(browser: Browser, pages: Mapping[str, Path]) -> None:
    shown = opened(browser, pages["danger"])
    first = shown.locator("summary").first

    first.focus()
    before = shown.locator("details").first.get_attribute("open")
    shown.keyboard.press("Enter")
    after = shown.locator("details").first.get_attribute("open")
    shown.context.close()

    assert (before is None) != (after is None)


def test_dark_and_light_are_what_the_reader_prefers(browser: Browser, pages: Mapping[str, Path]) -> None:
    papers = []
    for scheme in ("light", "dark"):
        shown = opened(browser, pages["danger"], scheme=scheme)
        body = shown.evaluate("getComputedStyle(document.body).backgroundColor")
        picture_ = shown.evaluate("getComputedStyle(document.querySelector('.topology .paper')).fill")
        papers.append((body, picture_))
        shown.context.close()

    assert papers == [("rgb(255, 255, 255)",) * 2, ("rgb(13, 17, 23)",) * 2]


def test_the_picture_marks_what_changes_in_words(browser: Browser, pages: Mapping[str, Path]) -> None:
    shown = opened(browser, pages["danger"])

    tabs = [each.inner_html() for each in shown.locator(".topology .tab > text").all()]
    replaced = shown.locator(".topology .marked.replaced").count()
    styled = shown.evaluate("getComputedStyle(document.querySelector('.topology .tab > rect')).stroke")
    shown.context.close()

    assert "± replaced" in tabs
    assert any("− 1 gone" in each for each in tabs), "the gate that goes is told by what it stands before"
    assert replaced == 1
    assert styled == "none", "the picture's own style applies"


def test_print_shows_everything_on_white(browser: Browser, pages: Mapping[str, Path]) -> None:
    shown = opened(browser, pages["danger"], scheme="dark")
    shown.evaluate("document.querySelectorAll('details').forEach(each => each.open = false)")
    shown.emulate_media(media="print")

    paper = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    rows = shown.evaluate(
        "[...document.querySelectorAll('.lines li')].map(each => each.getBoundingClientRect().height)"
    )
    navigation = shown.locator("nav").is_visible()
    pdf = shown.pdf(format="A4")
    shown.context.close()

    assert paper == "rgb(255, 255, 255)"
    assert rows
    assert min(rows) > 0, "what is folded is printed all the same"
    assert not navigation
    assert pdf.startswith(b"%PDF")
