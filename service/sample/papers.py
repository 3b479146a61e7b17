"""Papers that are made in code: small PDF and PNG files that open, such as an office scans them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator, Sequence

WIDTH, HEIGHT = 420, 298
"""Half an A5 page across, in points."""
LINE = 16
MARGIN = 24
INK, PAPER = 60, 244
"""Shades of grey."""


def pdf(lines: Sequence[str]) -> bytes:
    """A PDF of one page with lines of text; what is not Latin is left out of the page."""
    shown = [line.encode("latin-1", "ignore").translate(None, b"()\\") for line in lines]
    text = b"BT /F1 11 Tf %d %d Td %d TL " % (LINE, HEIGHT - 2 * LINE, LINE)
    text += b"".join(b"(%b) Tj T* " % line for line in shown) + b"ET"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>"
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        page % (WIDTH, HEIGHT),
        b"<</Length %d>>stream\n%b\nendstream" % (len(text), text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Courier>>",
    )
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
    return body + head + table + tail


def png(seed: int) -> bytes:
    """A grey picture such as a bad scanner gives: lines of text that nobody can read."""
    rows = bytearray()
    for y in range(HEIGHT):
        rows.append(0)
        inked = MARGIN < y < HEIGHT - MARGIN and y % LINE < LINE // 3
        last = WIDTH - MARGIN - y * seed % 90
        rows += bytes(
            INK + (x * 7 + seed) % 50 if inked and MARGIN < x < last and (x * y + seed) % 5 else PAPER
            for x in range(WIDTH)
        )
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(rows), 6))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


async def in_one(content: bytes) -> AsyncIterator[bytes]:
    """The bytes as a document is taken in."""
    yield content
