"""An administrator at work: requests of the administration API, each answer checked against its own description."""

from __future__ import annotations

import base64
import json
import re
import time
from functools import cache
from typing import Any

import jsonschema
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.http.desks import PASSWORD, Demo, Json, Reply, exchange
from trunkline.web.openapi import document
from trunkline.web.routes import rows

PREFIX = "/api/v2/admin"


@cache
def description() -> Json:
    """The description that the server gives, made once."""
    return document(rows(), "test", "")


@cache
def _registry() -> Registry[Any]:
    resource: Resource[Any] = Resource.from_contents(description(), default_specification=DRAFT202012)
    registry: Registry[Any] = Registry()
    known: Registry[Any] = registry.with_resource("urn:openapi", resource)
    return known


def check_answer(method: str, path: str, reply: Reply) -> None:
    """Fail unless the answer is one that the description tells of for this route."""
    operation = _operation(method, path.partition("?")[0])
    if operation is None:
        assert reply.status in (403, 404, 405)
        return
    assert str(reply.status) in operation["responses"], (method, path, reply)
    pointer = f"/paths/{_escaped(_template(path))}/{method.lower()}/responses/{reply.status}"
    found = operation["responses"][str(reply.status)]
    if "$ref" in found:
        pointer = found["$ref"].removeprefix("#")
    media = reply.headers["Content-Type"].partition(";")[0]
    assert media in _target(found)["content"], (method, path, media)
    if media == "application/json":
        validate(f"{pointer}/content/application~1json/schema", reply.json)


def check_body(method: str, path: str, body: Any) -> None:
    """Fail unless the description tells of this body for this route."""
    pointer = f"/paths/{_escaped(_template(path))}/{method.lower()}/requestBody/content/application~1json/schema"
    validate(pointer, body)


def validate(pointer: str, value: Any) -> None:
    """Fail unless a value is as the schema at this place of the description says."""
    schema = {"$ref": f"urn:openapi#{pointer}"}
    jsonschema.Draft202012Validator(schema, registry=_registry()).validate(value)


def _target(found: Json) -> Json:
    """The response itself, where a reference names it."""
    if "$ref" not in found:
        return found
    named: Json = description()["components"]["responses"][found["$ref"].rpartition("/")[2]]
    return named


def _escaped(template: str) -> str:
    return template.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


def _template(path: str) -> str:
    plain = path.partition("?")[0]
    for template in sorted(description()["paths"], key=lambda one: one.count("{")):
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), plain):
            return str(template)
    return ""


def _operation(method: str, path: str) -> Json | None:
    found: Json | None = description()["paths"].get(_template(path), {}).get(method.lower())
    return found


class Administrator:
    """Somebody who asks the administration API. Answers, and bodies that it takes, are checked by the description."""

    def __init__(self, demo: Demo, name: str = "admin1", password: str = PASSWORD) -> None:
        self.demo = demo
        self.name = name
        self._headers = basic(name, password)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """One request below ``/api/v2/admin``; ``body`` as JSON unless it is bytes. ``if_match`` is ``If-Match``."""
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        reply = exchange(self.demo.url, method, f"{PREFIX}/{path}", sent, {**self._headers, **named})
        check_answer(method, f"{PREFIX}/{path}", reply)
        if body is not None and not isinstance(body, bytes) and reply.status < 300:
            check_body(method, f"{PREFIX}/{path}", body)
        return reply

    @staticmethod
    def demo_now_s() -> int:
        """The time of the server, which is this machine's."""
        return int(time.time())

    def get(self, path: str) -> Json:
        """A read that succeeds."""
        return accepted(self.ask("GET", path))

    def make(self, path: str, **fields: Any) -> Json:
        """Create an object; the object as it is shown."""
        return shown(accepted(self.ask("POST", path, fields)))

    def change(self, path: str, version: int, **fields: Any) -> Json:
        """Change an object; the object as it is shown."""
        return shown(accepted(self.ask("PATCH", path, {"version": version, **fields})))

    def drop(self, path: str, version: int) -> None:
        """Delete an object."""
        accepted(self.ask("DELETE", f"{path}?version={version}"))


def basic(name: str, password: str = PASSWORD) -> dict[str, str]:
    """The header of HTTP Basic."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def accepted(reply: Reply) -> Json:
    """The body of an answer that must be a success."""
    assert (reply.status, reply.json["statusCode"]) == (200, 0), reply
    return reply.json


def shown(answer: Json) -> Json:
    """The one object of an answer."""
    (found,) = [value for name, value in answer.items() if name != "statusCode"]
    assert isinstance(found, dict)
    return found


def refused(reply: Reply, status: int, code: int, *words: str) -> None:
    """Fail unless the request was refused so, with a sentence that holds ``words``."""
    assert (reply.status, reply.json["statusCode"]) == (status, code), reply
    for word in words:
        assert word in reply.json["statusMessage"], reply
