"""The pages that people read: the interactive documentation at /docs, and one page for each kind of problem.

Everything is served from here, so that the pages work on a machine without internet.
"""
# ruff: noqa: E501 - prose, best read in one line

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from importlib import resources

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from service.api.problems import TABLE, Problem

router = APIRouter(include_in_schema=False)

_CACHED = {"Cache-Control": "public, max-age=3600"}


def _policy(*sources: str) -> str:
    return "; ".join(
        ["default-src 'none'", *sources, "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]
    )


# The interactive documentation --------------------------------------------------------------------------------------

# Addresses are relative to the page, so that it works behind a proxy that adds a prefix.
_DOCS_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sojourn API</title>
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>These pages need JavaScript; the same contract, for programs, is at <a href="openapi.json">openapi.json</a>.
</noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""

# No validator badge, which asks a server on the internet, and no token kept in the browser after the page is closed.
_DOCS_START = """"use strict";
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: false,
  validatorUrl: null,
});
"""

_ASSETS: Mapping[str, str] = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}

DOCS_POLICY = _policy("script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'")


@router.get("/docs")
async def docs() -> Response:
    """Show the contract as pages that can be tried out."""
    return HTMLResponse(_DOCS_PAGE, headers={"Content-Security-Policy": DOCS_POLICY, **_CACHED})


@router.get("/docs/start.js")
async def docs_start() -> Response:
    """Start the pages; a script of its own, because the policy allows none inside a page."""
    return Response(_DOCS_START, media_type="text/javascript", headers=_CACHED)


@router.get("/docs/{name}")
async def docs_asset(name: str) -> Response:
    """Give out the three files that the pages are made of."""
    if name not in _ASSETS:
        raise Problem("not-found")
    content = (resources.files("fastapi_swagger.resources") / name).read_bytes()
    return Response(content, media_type=_ASSETS[name], headers=_CACHED)


# The pages that a problem's `type` leads to -------------------------------------------------------------------------

# What it means and what to do, in the two languages.
# fmt: off
ADVICE: Mapping[str, tuple[str, str]] = {
    "malformed-body": (
        "The body is not valid JSON in UTF-8, or the request is otherwise not well-formed. Correct it; sending the same again will fail again.",
        "请求体不是有效的 UTF-8 JSON，或请求格式有误。请更正后再发送；原样重发仍会失败。"),
    "idempotency-key-missing": (
        "Creating and acting need an Idempotency-Key header with a value of your own choice, new for each intention, so that a repeated request takes effect once.",
        "创建和操作类请求必须带有 Idempotency-Key 请求头。请为每次操作自选一个新值，以保证重复发送只生效一次。"),
    "unauthenticated": (
        "The token or key is missing, expired, revoked or not one of ours. Sign in again, or use a valid key.",
        "令牌或密钥缺失、已过期、已撤销或无效。请重新登录，或使用有效的密钥。"),
    "forbidden": (
        "You may see this, but your role does not allow what you asked for. The reasons name the role that may.",
        "您可以查看此内容，但您的角色无权执行该操作。原因中会说明哪些角色可以执行。"),
    "not-found": (
        "The address does not exist, or what it names does not exist or is not yours to see.",
        "该地址不存在，或其所指的内容不存在，或您无权查看。"),
    "method-not-allowed": (
        "The address exists, but not with this method. The Allow header lists the methods that it knows.",
        "该地址存在，但不支持此方法。Allow 响应头列出了可用的方法。"),
    "not-acceptable": (
        "The Accept header asks for a form of answer that this address does not have.",
        "Accept 请求头所要求的格式不可用。"),
    "request-timeout": (
        "The body did not arrive in time. Send it again over a better connection, or in smaller parts.",
        "请求体未能及时送达。请在网络良好时重试，或分成较小的部分发送。"),
    "conflict": (
        "Something that you name exists already, or is bound to something else. The reasons say what; read it and decide.",
        "您提交的内容已存在，或已与其他记录关联。请根据原因查看后再决定。"),
    "refused": (
        "The rules do not allow this step in the present state. Every reason is listed, with what is required and what is on record; the list of actions shows what is possible.",
        "按照规则，当前状态下不能执行这一步。所有原因均已列出，包括所需条件与现有记录；操作列表会显示可执行的步骤。"),
    "stale": (
        "Somebody changed it after you read it. Read it again, look at what has changed, and repeat your request with the new ETag.",
        "在您读取之后，已有人更改了该内容。请重新读取并查看变化，然后使用新的 ETag 再次提交。"),
    "too-large": (
        "The body is larger than this address accepts. Split it, or make the file smaller.",
        "请求体超过了此地址允许的大小。请拆分内容或缩小文件。"),
    "unsupported-media-type": (
        "The body is of a kind, or packed in a way, that this address does not accept. Send JSON, unpacked, unless its documentation says otherwise.",
        "请求体的类型或压缩方式不被接受。除非文档另有说明，请发送未压缩的 JSON。"),
    "invalid": (
        "The request can be read, but some values are missing, unknown or out of bounds. Each reason points at its place.",
        "请求可以读取，但部分内容缺失、无法识别或超出范围。每条原因都会指出其位置。"),
    "key-reused": (
        "The same Idempotency-Key came before with another body. Use a new key for a new intention.",
        "同一个 Idempotency-Key 曾用于内容不同的请求。新的操作请使用新的值。"),
    "precondition-required": (
        "Changing something needs the version that you have read, in an If-Match header. Send the ETag that came with it.",
        "修改内容时，必须在 If-Match 请求头中注明您所读取的版本。请发送随内容返回的 ETag。"),
    "too-many-requests": (
        "You, or your institution, have sent more requests than agreed. Wait as long as Retry-After says.",
        "您或您的机构发送的请求过多。请按 Retry-After 指定的时间等待。"),
    "internal": (
        "A mistake of ours. Nothing was half done. Tell us the request_id and we shall find it.",
        "这是我们的错误，不会留下只完成一半的操作。请告知 request_id，以便我们查找原因。"),
    "unavailable": (
        "The service or its database is busy or being maintained. Repeat the request after the time in Retry-After, with the same Idempotency-Key.",
        "服务或数据库繁忙或正在维护。请在 Retry-After 指定的时间之后，使用相同的 Idempotency-Key 重试。"),
}
# fmt: on

_STYLE = (
    "body{font:1rem/1.6 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem;color:#1c2430}"
    "h1{font-size:1.5rem;line-height:1.3}code{background:#eef1f5;padding:.1em .3em;border-radius:.2em}"
    "section{border-top:1px solid #d7dde5;margin-top:1.5rem}a{color:#0b57a4}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
PROBLEMS_POLICY = _policy(f"style-src 'sha256-{_STYLE_HASH}'")


def _page(title: str, body: str) -> Response:
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": PROBLEMS_POLICY, **_CACHED})


@router.get("/problems")
async def problem_list() -> Response:
    """List every kind of problem."""
    items = "\n".join(
        f'<li><a href="problems/{code}"><code>{code}</code></a> {kind.status} · {escape(kind.en)} · {escape(kind.zh)}</li>'
        for code, kind in TABLE.items()
    )
    return _page("Problems", f"<h1>Problems · 问题一览</h1>\n<ul>\n{items}\n</ul>")


@router.get("/problems/{code}")
async def problem_page(code: str) -> Response:
    """Explain one kind of problem, in both languages."""
    if code not in TABLE:
        raise Problem("not-found")
    kind, (english, chinese) = TABLE[code], ADVICE[code]
    body = (
        f"<p><code>{code}</code> · HTTP {kind.status}</p>\n"
        f"<section><h1>{escape(kind.en)}</h1>\n<p>{escape(english)}</p></section>\n"
        f'<section lang="zh"><h1>{escape(kind.zh)}</h1>\n<p>{escape(chinese)}</p></section>\n'
        '<p><a href="../problems">All problems · 所有问题</a></p>'
    )
    return _page(kind.en, body)
