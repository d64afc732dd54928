"""Take the README's pictures from the running demo: ``python docs/screenshot.py`` while ``hub up`` runs.

Needs Chromium on the PATH (Debian: ``apt-get install chromium``) and the development dependencies.
"""

from __future__ import annotations

import base64
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hub.errors import ConfigError, HubError
from hub.local.site import ADMIN, Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT = 1280, 1120
# Chromium looks for servers of its maker at every start; a machine without internet refuses them one by one.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@contextmanager
def browser_page() -> Iterator[Page]:
    """A fresh page of the system's Chromium."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise ConfigError("there is no Chromium on the PATH: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        yield page
        browser.close()


def sign_in(page: Page, site: Site) -> None:
    """Through Airflow's own form."""
    page.goto(site.url("airflow") + "/", wait_until="domcontentloaded")
    page.wait_for_selector("input[name=username]", timeout=60_000)
    page.fill("input[name=username]", ADMIN)
    page.fill("input[name=password]", site.passwords()[ADMIN])
    page.get_by_role("button", name=re.compile("sign in", re.IGNORECASE)).click()
    page.wait_for_url(lambda url: "/auth/" not in url, timeout=60_000)


def take(site: Site) -> list[Path]:
    """The list of DAGs, and the hub's own page of its runs."""
    IMAGES.mkdir(exist_ok=True)
    taken = []
    with browser_page() as page:
        sign_in(page, site)
        for name, path, wait_for in (("dags", "/dags", "stock from erp"), ("runs", "/hub/runs", "stock")):
            page.goto(site.url("airflow") + path, wait_until="domcontentloaded")
            page.get_by_text(wait_for).first.wait_for(timeout=60_000)
            page.wait_for_timeout(3_000)  # charts draw themselves after the data came
            taken.append(capture(page, IMAGES / f"{name}.png"))
    return taken


def capture(page: Page, path: Path) -> Path:
    """What the window shows, asked of Chromium itself: a page that redraws all the time never gets as still as
    Playwright's own screenshot waits for."""
    answer = page.context.new_cdp_session(page).send("Page.captureScreenshot", {"format": "png"})
    path.write_bytes(base64.b64decode(answer["data"]))
    return path


def main() -> int:
    try:
        for path in take(Site.of_environment(ROOT)):
            sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    except HubError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
