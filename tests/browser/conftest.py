"""A real Chromium on a whole running product; skipped where there is no Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Dialog, Page, StorageState, expect, sync_playwright

from tests.product import Product, product

expect.set_options(timeout=30_000)  # it costs time only where something never comes
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    # Playwright keeps an event loop running in this thread: it must be gone when other tests come.
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def whole(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The running product. It is shared: tests name their own signals and leave it trading."""
    with product(
        tmp_path_factory.mktemp("browser"),
        MAX_OPEN_POSITIONS="100",
        MAX_POSITION_NOTIONAL="0",
        MAX_REPEATS="0",
        MAX_LOSS_COOLDOWN="0",
        MAX_OPEN_POSITIONS_TOTAL="100",
    ) as made:
        made.start("web", "exits", "worker")
        made.wait_until_ready()
        yield made


@dataclass
class Watched:
    """A page and all it complained about."""

    page: Page
    site: str
    complaints: list[str] = field(default_factory=list)

    def dismiss(self, dialog: Dialog) -> None:
        self.complaints.append(dialog.message)
        dialog.dismiss()

    def open(self, path: str) -> Page:
        self.page.goto(self.site + path)
        with suppress(TimeoutError):
            self.page.wait_for_load_state("load")
        return self.page


def log_in(page: Page, made: Product) -> None:
    """Fill the form in as the operator, and come to the desk."""
    page.goto("/desk/login/")
    page.fill("[name=username]", "operator")
    page.fill("[name=password]", made.password)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/desk/")


@pytest.fixture(scope="package")
def session(chromium: Browser, whole: Product) -> Iterator[StorageState]:
    """The cookies of the operator, who logged in by the form."""
    context = chromium.new_context(base_url=whole.site)
    log_in(context.new_page(), whole)
    yield context.storage_state()
    context.close()


@pytest.fixture
def watched(chromium: Browser, whole: Product, session: StorageState) -> Iterator[Watched]:
    """A logged-in operator's page, on the desk, in which no console error goes unheard."""
    context = chromium.new_context(
        viewport={"width": 1400, "height": 900}, base_url=whole.site, storage_state=session
    )
    page = context.new_page()
    seen = Watched(page, whole.site)
    page.on("console", lambda m: seen.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("dialog", seen.dismiss)
    page.goto("/desk/")
    page.wait_for_selector("body[data-loaded=yes]")
    yield seen
    context.close()
