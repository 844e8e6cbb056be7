"""A hook of MkDocs: what `make docs` does besides building the pages."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError

ELSEWHERE = re.compile(r'<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)="?(?:https?:)?//')


def on_post_build(config: Any) -> None:
    """Put the source of each page beside the page, for the links of llms.txt.

    Raises:
        PluginError: a page would fetch something from elsewhere.
    """
    source, site = Path(config.docs_dir), Path(config.site_dir)
    for page in site.glob("*.html"):
        if found := ELSEWHERE.search(page.read_text()):
            raise PluginError(f"{page.name} would fetch something from elsewhere: {found[0]}")
        markdown = source / f"{page.stem}.md"
        if markdown.exists():
            shutil.copy(markdown, site)
