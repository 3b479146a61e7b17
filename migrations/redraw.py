"""Draws the first migration anew from the tables. Only before the first release: after it, every change is its own."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command

from service.storage.embedded import Cluster
from service.storage.migrating import config
from service.storage.tables.columns import EXTENSIONS, Xid8


def main() -> None:
    """Write versions/0001_first.py."""
    versions = Path(__file__).parent / "versions"
    for old in versions.glob("*.py"):
        old.unlink()
    with (
        tempfile.TemporaryDirectory() as folder,
        Cluster(Path(folder) / "pg", durable=False) as cluster,
    ):
        made = config(cluster.dsn())
        command.revision(made, "Every table of the first release", autogenerate=True, rev_id="0001")
    (written,) = versions.glob("0001_*.py")
    text = written.read_text()
    if Xid8.__name__ in text:
        text = re.sub(r"service\.storage\.tables\.columns\.Xid8\(\)", "Xid8()", text)
        text = text.replace(
            "from alembic import op\n",
            "from alembic import op\n\nfrom service.storage.tables.columns import EXTENSIONS, Xid8\n",
        )
    extend = "".join(f'    op.execute("CREATE EXTENSION IF NOT EXISTS {name}")\n' for name in EXTENSIONS)
    text = re.sub(r"(def upgrade\(\)[^\n]*\n(?:    \"\"\"[^\n]*\"\"\"\n)?)", rf"\1{extend}", text, count=1)
    if "postgresql." in text:
        text = text.replace(
            "import sqlalchemy as sa\n", "import sqlalchemy as sa\nfrom sqlalchemy.dialects import postgresql\n", 1
        )
        text = re.sub(
            r"^from sqlalchemy\.dialects import postgresql\n(?=[\s\S]*^from sqlalchemy\.dialects import postgresql\n)",
            "",
            text,
            flags=re.MULTILINE,
        )
    (versions / "0001_first.py").write_text(text)
    if written.name != "0001_first.py":
        written.unlink()
    for tidy in (("check", "--fix", "--quiet"), ("format", "--quiet")):
        subprocess.run([sys.executable, "-m", "ruff", *tidy, str(versions / "0001_first.py")], check=True)
    sys.stdout.write("versions/0001_first.py\n")


if __name__ == "__main__":
    main()
