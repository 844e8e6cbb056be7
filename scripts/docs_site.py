"""A hook of MkDocs: the pages are in the site as Markdown, too, for the links of llms.txt."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any


def on_post_build(config: Any) -> None:
    """Copy the source of each page beside the page."""
    source, site = Path(config.docs_dir), Path(config.site_dir)
    for page in source.glob("*.md"):
        if (site / page.with_suffix(".html").name).exists():
            shutil.copy(page, site)
