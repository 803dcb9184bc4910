"""The documentation of the API: one plain page, made from its OpenAPI description without any external files."""

import html
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")


def api_page(openapi: dict[str, Any]) -> str:
    """Return the page for an OpenAPI description."""
    schemas = openapi.get("components", {}).get("schemas", {})
    tags: dict[str, list[str]] = {}
    for path, methods in openapi["paths"].items():
        for method in METHODS:
            if operation := methods.get(method):
                tags.setdefault((operation.get("tags") or ["other"])[0], []).append(
                    _operation(path, method, operation, schemas)
                )
    parts = "".join(f"<h2>{html.escape(tag)}</h2>{''.join(rows)}" for tag, rows in tags.items())
    return f"""<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>The API of regrow</title>
<link rel="icon" href="/page/icon.svg">
<style>:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; background: Canvas; }}
body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }} code {{ font-size: .95em; }}
small {{ margin-left: .6rem; opacity: .8; }} pre {{ font: inherit; white-space: pre-wrap; margin: .4rem 0; }}
table {{ border-collapse: collapse; width: 100%; }} td, th {{ text-align: left; vertical-align: top;
  padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #8884; }} summary {{ cursor: pointer; padding: .2rem 0; }}
</style><h1>The API of regrow</h1>
<p>Errors are JSON: <code>{{"error": "a sentence", "field": "the setting that is wrong, or null"}}</code>.
The machine-readable description is at <a href="/openapi.json"><code>/openapi.json</code></a>.</p>{parts}</html>"""


def _operation(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    first, _, more = (operation.get("description") or operation.get("summary") or "").partition("\n\n")
    rows = [
        (one["name"], _kind(one["schema"]), one["schema"].get("default"), one["schema"].get("description", ""))
        for one in operation.get("parameters", ())
    ]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = _followed(content.get("schema", {}), schemas)
        rows += [
            (name, _kind(one), one.get("default"), one.get("description", ""))
            for name, one in schema.get("properties", {}).items()
        ] or [("(body)", kind, None, "")]
    cells = "".join(
        f"<tr><td><code>{html.escape(name)}</code><td>{html.escape(kind)}"
        f"<td>{'' if default is None else html.escape(str(default))}<td>{html.escape(words)}"
        for name, kind, default, words in rows
    )
    table = f"<table><tr><th>name<th>type<th>default<th>{cells}</table>" if rows else ""
    summary = f"<code>{method.upper()} {html.escape(path)}</code> <small>{html.escape(first)}</small>"
    return f"<details><summary>{summary}</summary><pre>{html.escape(more.strip())}</pre>{table}</details>"


def _followed(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return a schema, with a reference resolved."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return schemas.get(name, {}) if name else schema


def _kind(schema: dict[str, Any]) -> str:
    """Return the type of a schema as text."""
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    kind = str(schema.get("type", "any"))
    return f"list of {_kind(schema['items'])}" if kind == "array" and "items" in schema else kind
