"""The description of the administration API: valid, complete, and served."""

from __future__ import annotations

import pytest
from openapi_spec_validator import validate

from tests.http.administration import Administrator, description, refused
from tests.http.desks import Demo
from trunkline.contract.admin_kinds import KINDS
from trunkline.web.openapi import document
from trunkline.web.routes import rows


def test_the_description_is_valid() -> None:
    """It is an OpenAPI 3.1 document: of the two kinds with the most to describe, and of the routes beside the kinds."""
    kinds = [KINDS["user"], KINDS["rule-set"]]
    others = {f"/api/v2/admin/{kind.path}" for kind in KINDS.values() if kind not in kinds}
    some = [row for row in rows() if "/".join(row.path.split("/")[:5]) not in others or "object_id" not in row.ids]
    some = [row for row in some if row.path not in others]
    validate(document(some, "1", "", kinds))


@pytest.mark.long
def test_the_whole_description_is_valid() -> None:
    """All of it; the validator takes its time."""
    validate(description())


def test_every_route_is_described() -> None:
    """Every route below /api/v2/admin is there, with what it needs, a summary, and parameters for its path."""
    paths = description()["paths"]
    for row in rows():
        if row.path.startswith("/api/v2/admin/"):
            operation = paths[row.path][row.method.lower()]
            assert operation["summary"], row
            assert row.needs.value in operation["description"]
            named = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert named == {part[1:-1] for part in row.path.split("/") if part.startswith("{")}
    ids = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.kind)
def test_every_kind_has_limits(kind: object) -> None:
    """No string, list or number of a body is without a limit."""

    def check(schema: dict[str, object], place: str) -> None:
        kinds = schema.get("type")
        named = kinds if isinstance(kinds, list) else [kinds]
        if "string" in named and "enum" not in schema and "const" not in schema and schema.get("format") != "date":
            assert "maxLength" in schema or "integer" in named or "number" in named, place
        if "array" in named:
            assert "maxItems" in schema, place
        if "integer" in named and len(named) <= 2 and "string" not in named:
            assert "minimum" in schema, place
        for name, inner in schema.items():
            if isinstance(inner, dict):
                for key, one in inner.items() if name == "properties" else [(name, inner)]:
                    check(one, f"{place}.{key}")
            if name in ("anyOf", "oneOf", "prefixItems") and isinstance(inner, list):
                for at, one in enumerate(inner):
                    check(one, f"{place}.{name}[{at}]")

    name = kind.name[0].upper() + kind.name[1:]  # type: ignore[attr-defined]
    check(description()["components"]["schemas"][f"{name}Write"], name)


def test_the_server_gives_its_description(demo: Demo) -> None:
    """Supervisors and administrators read it; agents do not."""
    served = Administrator(demo).ask("GET", "openapi.json").json
    assert served["paths"] == description()["paths"]
    assert served["components"] == description()["components"]
    assert served["servers"] == [{"url": demo.url}]
    refused(Administrator(demo, "agent3").ask("GET", "openapi.json"), 403, 3)
