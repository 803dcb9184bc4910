"""Hooks of MkDocs: the one script that Material would load from the network is replaced by the site's own copy."""

import re

SHIM = "https://unpkg.com/iframe-worker/shim"
"""The script that search needs if a page is opened from disk; `gather.py` copies it into the site."""
HERE = "assets/iframe-worker.js"


OUTSIDE = re.compile(r"(?:\bsrc=|<link [^>]*rel=\"?(?:stylesheet|preconnect|icon)[^>]*href=)\"?https?:[^\"> ]+")


def on_post_page(output: str, page, config) -> str:
    """Return a page that loads nothing from the network, or stop the build."""
    here = output.replace(SHIM, "../" * page.url.count("/") + HERE)
    if asked := OUTSIDE.findall(here):
        raise SystemExit(f"{page.url} asks the network for {', '.join(asked)}: the site must work without one.")
    return here


def on_post_template(output_content: str, template_name: str, config) -> str:
    """Return the page for missing addresses, changed in the same way."""
    return output_content.replace(SHIM, HERE)
