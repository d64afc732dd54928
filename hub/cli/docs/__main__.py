"""``python -m hub.cli.docs`` writes docs/reference/ of the project."""

from __future__ import annotations

from hub.cli.docs import pages
from hub.config import project_root

project = project_root()
folder = project / "docs" / "reference"
folder.mkdir(parents=True, exist_ok=True)
for name, text in pages(project).items():
    (folder / name).write_text(text, encoding="utf-8")
