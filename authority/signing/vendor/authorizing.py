"""The vendor's side: a root key, and authorizations made with it from a readable specification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from authority.domain.catalogue import KeyUse
from authority.domain.refusals import AuthorizationUnusable
from authority.signing.keyring import Signer
from verifier.core import files, jose
from verifier.core.claims import AUTHORIZATION_TYP
from verifier.core.keys import PublicKey
from verifier.core.times import timestamp
from verifier.core.trust import Authorization, TrustStore, authorization
from verifier.errors import CarnetError

_EXTENSIONS = ("3DAnalyst", "SpatialAnalyst", "NetworkAnalyst", "GeostatAnalyst", "DataReviewer", "WorkflowMgr")
_LEVELS = ["Basic", "Standard", "Advanced"]
SAMPLE_MEMBERS = 50


def sample_specification(organization: str, name: str, vendor: str) -> dict[str, Any]:
    """The specification of the sample organization (contract, section 1.2), without keys and times."""
    every_seat = dict.fromkeys(_LEVELS, SAMPLE_MEMBERS)
    every_extension = dict.fromkeys(_EXTENSIONS, SAMPLE_MEMBERS)
    named = {"mode": "named", "levels": _LEVELS, "seats": every_seat, "extensions": every_extension, "until": None}
    return {
        "iss": vendor,
        "sub": organization,
        "organization": name,
        "members": {"total": SAMPLE_MEMBERS, "types": {}},
        "user_types": {
            "Viewer": {"includes": {}, "may_hold": []},
            "Creator": {"includes": {}, "may_hold": ["arcgis-pro", "arcgis-allsource"]},
            "GIS Professional": {"includes": {"arcgis-pro": "Advanced"}, "may_hold": ["arcgis-allsource", "arcgis-desktop"]},
        },
        "products": [
            {"id": "arcgis-pro", "name": "ArcGIS Pro", **named},
            {"id": "arcgis-allsource", "name": "ArcGIS AllSource", **named},
            {
                "id": "arcgis-desktop",
                "name": "ArcGIS Desktop",
                "mode": "concurrent",
                "levels": _LEVELS,
                "seats": {"Advanced": 10},
                "extensions": {},
                "until": None,
            },
        ],
        "max_borrow_days": 365,
    }


def key_records(ring: Mapping[KeyUse, Sequence[PublicKey]], begins_at: datetime, ends_at: datetime) -> list[dict[str, Any]]:
    """The `keys` of an authorization for the authority's public keys, by use."""
    return [
        {
            "kid": key.kid,
            **key.as_jwk(),
            "alg": "EdDSA",
            "use": use,
            "nbf": timestamp(begins_at),
            "exp": timestamp(ends_at),
        }
        for use, keys in ring.items()
        for key in keys
    ]


def authorize(
    root: Signer,
    specification: Mapping[str, Any],
    keys: list[dict[str, Any]],
    *,
    seq: int,
    now: datetime,
    begins_at: datetime,
    ends_at: datetime,
) -> str:
    """The compact `authorization+jwt` of a specification. Raises AuthorizationUnusable for what a verifier would refuse."""
    claims = {
        **specification,
        "ver": 1,
        "seq": seq,
        "iat": timestamp(now),
        "nbf": timestamp(begins_at),
        "exp": timestamp(ends_at),
        "keys": keys,
    }
    _checked(claims)
    return jose.compact({"alg": "EdDSA", "typ": AUTHORIZATION_TYP, "kid": root.public.kid}, jose.payload(claims), root.sign)


def _checked(claims: Mapping[str, Any]) -> Authorization:
    try:
        return authorization(claims)
    except CarnetError as error:
        raise AuthorizationUnusable(f"the specification does not make an authorization: {error.message}") from error


def trust_file(organization: str, roots: Sequence[PublicKey]) -> str:
    """The trust file of an organization, checked as a workstation will check it."""
    data = files.render("trust", {"roots": [root.as_jwk() for root in roots], "organization": organization, "updates": []})
    TrustStore.read(data)
    return data.decode()
