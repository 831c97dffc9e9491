"""/keys: the authority's own keys."""

from typing import Annotated

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import AfterValidator, BaseModel, Field

from authority.domain.catalogue import KeyUse
from authority.presentation.keys import Keys, KeyShown, MadeKeys, PublicKeys
from authority.services import keys
from authority.web.access import unit
from authority.web.answers import json_of
from authority.web.api.forms import Body, Problem, different

api = APIBlueprint("keys", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem})

# In JSON it is a text; a strict body would wait for a member of the enumeration.
Use = Annotated[KeyUse, Field(strict=False)]
Uses = Annotated[list[Use], AfterValidator(different), Field(min_length=1, max_length=len(KeyUse))]


class RotationBody(Body):
    uses: Uses | None = Field(None, description="what the new keys sign; null: one key for each use")


class RetirementBody(Body):
    stolen: bool = Field(False, description="true: it may be in other hands; only borrows that are known here stay good")
    dry_run: bool = Field(False, description="true: make every check, and change nothing")


class KeyPath(BaseModel):
    kid: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]


@api.get("/keys", summary="The authority's own keys, and the root to compare", responses={200: Keys})
def listed() -> Response:
    """The retired ones among them; never what is private."""
    use_case = unit()
    every = keys.every(use_case)
    return json_of(Keys.of(every, keys.roots(use_case)))


@api.post("/keys", summary="Make new keys beside those that are there", responses={201: MadeKeys})
def rotate(body: RotationBody) -> Response:
    """They sign once the vendor's next authorization names them; until then nothing changes."""
    return json_of(MadeKeys.of(keys.rotate(unit(), body.uses or list(KeyUse))), 201)


@api.get("/keys/public", summary="The public keys, for the vendor", responses={200: PublicKeys})
def public() -> Response:
    """What `root authorize` takes with `--keys`: write it down as it is."""
    return json_of(PublicKeys.model_validate(keys.public(unit())))


@api.post("/keys/<kid>/retire", summary="Let a key sign nothing new", responses={200: KeyShown, 404: Problem, 409: Problem})
def retire(path: KeyPath, body: RetirementBody) -> Response:
    """Borrows that are out stay good; after a theft those that are known here, once the vendor's next authorization says so."""
    return json_of(KeyShown.of(keys.retire(unit(), path.kid, is_stolen=body.stolen, dry_run=body.dry_run)))
