"""The pages for people: whole without internet, under a strict policy, one for every kind of problem."""

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx
import pytest
from fastapi import FastAPI

from service.api import documentation, problems
from service.api.problems import TABLE

app = FastAPI(docs_url=None, redoc_url=None)
problems.install(app)
app.include_router(documentation.router)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


class Addresses(HTMLParser):
    """Every address that a page loads or leads to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href") and value]
        self.inline += [name for name, _ in attrs if name.startswith("on") or name == "style"]
        if tag == "script" and "src" not in dict(attrs):
            self.inline.append(tag)


@pytest.mark.parametrize("path", ["/docs", "/problems", "/problems/refused"])
async def test_page_leads_nowhere_but_here(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    page = Addresses(response.text)
    assert (response.status_code, page.inline, len(page.found) > 0) == (200, [], True)
    for address in page.found:
        target = urljoin(f"http://test{path}", address)
        assert target.startswith("http://test/")
        assert (await client.get(target)).status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/problems", "/problems/refused"])
async def test_policy_allows_nothing_inline_and_nothing_foreign(client: httpx.AsyncClient, path: str) -> None:
    policy = (await client.get(path)).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    sources = [source for directive in policy.split("; ") for source in directive.split()[1:]]
    hashes = [source for source in sources if source.startswith("'sha256-")]
    assert {*sources} - {*hashes} <= {"'none'", "'self'", "data:"}
    assert policy.endswith("base-uri 'none'; form-action 'none'; frame-ancestors 'none'")


@pytest.mark.parametrize(
    ("name", "media_type", "smallest"),
    [
        ("swagger-ui-bundle.js", "text/javascript; charset=utf-8", 1_000_000),
        ("swagger-ui.css", "text/css; charset=utf-8", 100_000),
        ("favicon-32x32.png", "image/png", 500),
    ],
)
async def test_asset_is_served_from_here(client: httpx.AsyncClient, name: str, media_type: str, smallest: int) -> None:
    response = await client.get(f"/docs/{name}")
    assert (response.status_code, response.headers["content-type"]) == (200, media_type)
    assert len(response.content) > smallest


@pytest.mark.parametrize("name", ["__init__.py", "..%2Fmain.py", "%2Fetc%2Fpasswd", "main.py"])
async def test_other_files_are_not_there(client: httpx.AsyncClient, name: str) -> None:
    response = await client.get(f"/docs/{name}")
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")


async def test_start_keeps_no_token_and_asks_nobody(client: httpx.AsyncClient) -> None:
    script = (await client.get("/docs/start.js")).text
    assert re.findall(r"(persistAuthorization|validatorUrl|url): ([^,]+),", script) == [
        ("url", '"openapi.json"'),
        ("persistAuthorization", "false"),
        ("validatorUrl", "null"),
    ]


def test_advice_covers_the_table_in_two_languages() -> None:
    assert list(documentation.ADVICE) == list(TABLE)
    for english, chinese in documentation.ADVICE.values():
        assert (english.endswith("."), chinese.endswith("。")) == (True, True)


@pytest.mark.parametrize("code", TABLE)
async def test_problem_page_says_it_in_two_languages(client: httpx.AsyncClient, code: str) -> None:
    page = (await client.get(f"/problems/{code}")).text
    english, chinese = documentation.ADVICE[code]
    for text in (code, f"HTTP {TABLE[code].status}", TABLE[code].en, TABLE[code].zh, english, chinese):
        assert text in page


async def test_problem_page_of_an_unknown_code_is_not_there(client: httpx.AsyncClient) -> None:
    response = await client.get("/problems/<script>")
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")


async def test_pages_are_no_part_of_the_contract(client: httpx.AsyncClient) -> None:
    assert (await client.get("/openapi.json")).json()["paths"] == {}
