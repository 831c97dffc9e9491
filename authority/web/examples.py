"""Examples of every request and answer in `/openapi.json`: one value for each name, put together as the schemas say.

Whoever adds a field whose name is not here adds its example here; a test says which is missing, and holds each to its schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

ID, KEY_ID, SESSION_ID = "q3n1X0yYb2mJ7c5ZtKpVwA", "Zk8uVt2fQ0aH5sLr9eXc1g", "b7Qm2WcE4xNnT0yHk6RfUw"
KID = "2rmbR9kX0sYwqJmJq1VtW3nYw0cXh8m7Zp5uT1aQ4eE"
# The beginning of one; a whole one has some hundred characters more.
JWS = "eyJhbGciOiJFZERTQSIsInR5cCI6ImJvcnJvdytqd3QifQ.eyJpc3MiOiJmaWVsZC1zdXJ2ZXkifQ.c2lnbmF0dXJl"
VERSION = "mZ0qXkTg1vYdA4hLfRw2Ub8sNcJeP5oKiVtGx7B9yQ3rDuEa"
CURSOR = "WyJhZGEiXQ"
JWK = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
FILES: dict[str, dict[str, Any]] = {
    "authorization_file": {"carnet": "authorization", "version": 1, "authorization": JWS},
    "trust_file": {"carnet": "trust", "version": 1, "roots": [], "organization": "field-survey", "updates": []},
    "file": {"carnet": "borrow", "version": 1, "authorization": JWS, "borrow": JWS, "status_list": JWS},
    "grant": {"carnet": "borrow", "version": 1, "authorization": JWS, "borrow": JWS, "status_list": None},
}
# By the name of a field or parameter; of a list each of its items.
VALUES: dict[str, Any] = {
    "Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324",
    "If-Match": f'"{VERSION}"',
    "If-None-Match": f'"{VERSION}.5kq8Qe1n0VdG3xYz7LmTwA"',
    **FILES,
    **dict.fromkeys(("id", "ids", "borrow_id", "handle"), ID),
    **dict.fromkeys(("key_id", "sign_in_id"), KEY_ID),
    "session_id": SESSION_ID,
    **dict.fromkeys(("kid", "accept_root", "roots"), KID),
    **dict.fromkeys(("request", "receipt", "authorization", "borrow", "status_list", "reset", "updates", "checkpoint"), JWS),
    **dict.fromkeys(("api_key", "secret"), "carnet_key_5n0c2rUo1k7YqJ3mXw9tZsVb4hLdQfEgTyPiAaKxCzM"),
    "token": "carnet_si_Vb4hLdQfEgTyPiAaKxCzM5n0c2rUo1k7YqJ3mXw9tZs",
    "version": VERSION,
    **dict.fromkeys(("username", "usernames", "member"), "ada"),
    "full_name": "Ada Lovelace",
    "summary": "rows 1 to 4711 are what was sealed",
    "limits": "whoever has the signing key can write another history: keep a checkpoint elsewhere",
    **dict.fromkeys(("channel_id", "channel"), "n0tVq3xYz7LmTwA5kq8Qe1"),
    "text": "arcgis-pro Standard of ada on red laptop ends at 2026-03-31 12:00 UTC",
    "email": "ada@example.org",
    "actor": "chief",
    **dict.fromkeys(("password", "old_password", "new_password"), "correct horse battery staple"),
    "search": "lovelace",
    **dict.fromkeys(("user_type", "type"), "GIS Professional"),
    **dict.fromkeys(("user_types", "types", "members_by_type"), "GIS Professional"),
    **dict.fromkeys(("group", "groups", "subject"), "field-crew"),
    **dict.fromkeys(("add_groups",), "night"),
    **dict.fromkeys(("remove_groups",), "survey"),
    "name": "nightly report",
    **dict.fromkeys(("product", "add_ons", "includes", "may_hold"), "arcgis-pro"),
    **dict.fromkeys(("level", "levels", "seats"), "Standard"),
    **dict.fromkeys(("feature", "extensions", "add_extensions", "given"), "3DAnalyst"),
    **dict.fromkeys(("remove_extensions", "taken"), "NetworkAnalyst"),
    "machine": "red laptop",
    "alias": "red laptop",
    "computer": "red laptop",
    "source": "linux",
    "os_user": "ada",
    "address": "192.0.2.17",
    "agent": "curl/8.5.0",
    "organization": "field-survey",
    "organization_name": "Field Survey",
    "vendor": "maker",
    "csv": "username,full_name,user_type\r\nada,Ada Lovelace,GIS Professional\r\n",
    "code": "ABCD-EFGH-JKLM-NPQR",
    "reason": "laptop re-imaged",
    "kind": "checkout",
    "mode": "borrow",
    "action": "change",
    "field": "user_type",
    "use": "borrow",
    "decided_by": "group field-crew",
    "path": "organization",
    "explanation": "group field-crew allows 60 days; the authorization allows 365",
    "note": 'nobody is in the group "field-crew" yet',
    "notices": 'the channel "desk" fails: it answered 500',
    "warning": "the authorization ends at 2026-04-01 00:00 UTC, in 20 days: ask the vendor for a new one",
    "clone_evidence": "another machine with the same id has another board",
    **dict.fromkeys(("words", "stuck_because"), "its member is disabled"),
    "next_step": "Issue it; the answer goes back to the workstation.",
    "changes": "members: 50 -> 60",
    "consequences": '"arcgis-pro" Advanced: 12 assigned, 10 licensed (-2 available)',
    "message": 'there is no member "eve"',
    "hint": "Check the name.",
    "detail": 'there is no member "eve"',
    "title": "Not Found",
    "request_id": "5f0c6a1e9b3d2478",
    "cursor": CURSOR,
    "next": CURSOR,
    "status": 404,
    "evidence": {"member": "eve"},
    "keys": {"use": "borrow", "kid": KID, **JWK},
    "after": 0,
    "limit": 100,
    "days": 14,
    "maximum": 50,
    "total": 37,
    "current": 37,
}
# In these places the name means something else; ROUTE, or the schema, and the name.
ELSEWHERE: dict[str, Any] = {
    "MemberShown id": 17,
    "EventShown id": 4711,
    "ChannelShown name": "desk",
    "ChannelShown address": "https://alerts.example.org/…",
    "ChannelShown error": "it answered 500",
    "MadeChannel name": "desk",
    "MadeChannel address": "https://alerts.example.org/…",
    "MadeChannel error": "it answered 500",
    "MadeChannel secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "NewChannelBody name": "desk",
    "NewChannelBody address": "https://alerts.example.org/carnet",
    "ChannelChange name": "desk",
    "ChannelChange address": "https://alerts.example.org/carnet",
    "TrialBody recipient": "ada@example.org",
    "ChannelTrial error": "it answered 500",
    "DeliveryShown channel": "desk",
    "DeliveryShown error": "it answered 500",
    "NoticeShown facts": {"member": "ada", "product": "arcgis-pro Standard", "ends_at": "2026-03-31 12:00 UTC"},
    "MachineShown id": "3f1c9a54d7e2",
    "UserShown id": "uid:1000",
    "UserShown name": "ada",
    "WrittenBorrow file": "trip.borrow",
    "Problem type": "urn:carnet:problem:not-found",
    "Problem code": "not-found",
    "ProblemItem name": "member",
    "DenialFigure code": "pool-exhausted",
    "RefusedRow code": "not-found",
    "RefusedMember code": "not-found",
    "RefusedLicense code": "not-found",
    "RefusedId code": "not-found",
    "RefusalShown code": "not-found",
    "MemberImport file": "members.csv",
    "DefaultsBody add_ons": {"arcgis-pro": "Standard"},
}
TIMES = {
    "issued_at": "2026-03-02T09:00:00Z",
    "expires_at": "2026-03-16T09:00:00Z",
    "until": "2026-03-16T09:00:00Z",
    "since": "2026-03-01T00:00:00Z",
}
USUAL_TIME, USUAL_DAY, USUAL_NUMBER = "2026-03-02T09:00:00Z", "2026-03-02", 3


class Examples:
    """Examples of the schemas of one OpenAPI document."""

    def __init__(self, schemas: Mapping[str, Any]) -> None:
        self._schemas = schemas

    def of(self, schema: Mapping[str, Any], name: str = "", owner: str = "") -> Any:
        """An example of a schema, which stands under this name in the schema `owner`. Raises KeyError for a text without one."""
        if "$ref" in schema:
            owner = schema["$ref"].rpartition("/")[2]
            return self.of(self._schemas[owner], name, owner)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return VALUES[name] if VALUES.get(name) in schema["enum"] else schema["enum"][0]
        if "anyOf" in schema or "allOf" in schema:
            return self.of((schema.get("anyOf") or schema["allOf"])[0], name, owner)
        if f"{owner} {name}" in ELSEWHERE:
            return ELSEWHERE[f"{owner} {name}"]
        return self._of_type(schema, name, owner)

    def _of_type(self, schema: Mapping[str, Any], name: str, owner: str) -> Any:
        match schema.get("type"):
            case "object":
                return self._object(schema, name, owner)
            case "array":
                return [self.of(schema.get("items", schema.get("prefixItems", [{}])[0]), name, owner)]
            case "string":
                return self._text(schema, name)
            case "integer" | "number":
                value = VALUES.get(name, USUAL_NUMBER)
                return value if isinstance(value, int) else USUAL_NUMBER
            case "boolean":
                return name in ("ok", "allowed", "signs_now", "authorized", "applied", "installed", "accept_overlap")
        return None

    def _object(self, schema: Mapping[str, Any], name: str, owner: str) -> Any:
        if "properties" in schema:
            return {own: self.of(inner, own, owner) for own, inner in schema["properties"].items()}
        inner = next(iter(schema.get("patternProperties", {}).values()), schema.get("additionalProperties"))
        if isinstance(inner, Mapping):
            return {VALUES[name]: self.of(inner, "level", owner)}
        return JWK if name == "roots" else VALUES[name]

    @staticmethod
    def _text(schema: Mapping[str, Any], name: str) -> str:
        form = schema.get("format")
        if form == "date-time":
            return TIMES.get(name, USUAL_TIME)
        if form == "date":
            return USUAL_DAY
        value: str = TIMES[name] if name in TIMES else USUAL_TIME if name == "at" else VALUES[name]
        # Pages of what has ids go on after an id.
        return ID if name == "cursor" and re.search(schema.get("pattern", ""), ID) and len(value) != len(ID) else value


def add_to(document: dict[str, Any]) -> None:
    """Puts an example into every parameter, body and answer of the document; problems have one that is like them all."""
    examples = Examples(document["components"]["schemas"])
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                parameter["example"] = examples.of(parameter["schema"], parameter["name"])
            contents = [operation["requestBody"]["content"]] if "requestBody" in operation else []
            contents += [response["content"] for response in operation["responses"].values() if "content" in response]
            for kind, content in (item for items in contents for item in items.items()):
                if kind.endswith("json"):
                    content["example"] = examples.of(content["schema"])
