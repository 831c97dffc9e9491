"""The chain of trust: root keys sign the authorization, which says with which keys an organization may give what."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Self

from verifier.core import files
from verifier.core.claims import AUTHORIZATION_TYP
from verifier.core.jose import LONGEST_AUTHORIZATION, open_by_kid
from verifier.core.keys import THUMBPRINT, PublicKey, digest_of, from_members
from verifier.core.reading import BORROW_ID, FEATURE, MOST_DAYS, PRODUCT_ID, Reader
from verifier.core.succession import Succession, root_keys
from verifier.core.times import rfc3339_of
from verifier.errors import KeyNotValid, Malformed, NotAuthorized, UnknownKey, UntrustedRoot

_AUTHORIZATION = frozenset(
    [
        "iss",
        "sub",
        "ver",
        "seq",
        "iat",
        "nbf",
        "exp",
        "organization",
        "keys",
        "members",
        "user_types",
        "products",
        "max_borrow_days",
    ]
)
_KEY = frozenset(["kid", "kty", "crv", "x", "alg", "use", "nbf", "exp"])
_PRODUCT = frozenset(["id", "name", "mode", "levels", "seats", "extensions", "until"])
# The root keys of `keys.example`, whose private halves everybody has.
SAMPLE_ROOTS = frozenset({"0nqDQZA111n8O01SxF9q5DC2zpwgJCJyURG-xUcxB3g"})
UNPINNED = (
    "the application names no root key that it trusts, so any authority whose trust file is installed here is believed; "
    "this license comes from the root key {root}"
)
SAMPLE_SIGNED = "the root key is the published sample, with which everybody can sign"


class SigningKey(NamedTuple):
    """A key of the authority. After a theft `revoked` is set and only the borrows whose `jti` is `known` stay good."""

    key: PublicKey
    use: str
    nbf: int
    exp: int
    revoked: bool
    known: frozenset[str]


class Product(NamedTuple):
    """A product: ordered levels from low to high, unordered extensions, seats of each, and its end (seconds, or None)."""

    id: str
    name: str
    mode: str
    levels: tuple[str, ...]
    seats: Mapping[str, int]
    extensions: Mapping[str, int]
    until: int | None

    def levels_up_to(self, level: str) -> tuple[str, ...]:
        """The given level and all below it, low to high; a higher level may do what a lower one may."""
        return self.levels[: self.levels.index(level) + 1]


class UserType(NamedTuple):
    """What members of a type hold by themselves (`includes`: product to level) and may be given (`may_hold`)."""

    includes: Mapping[str, str]
    may_hold: tuple[str, ...]


class Authorization(NamedTuple):
    """The claims of an `authorization+jwt` whose root signature was verified. Times are seconds since 1970 UTC.

    `root` is the thumbprint of the root key that signed it.
    """

    vendor: str
    organization: str
    organization_name: str
    seq: int
    iat: int
    nbf: int
    exp: int
    keys: Mapping[str, SigningKey]
    members_total: int | None
    members_by_type: Mapping[str, int | None]
    user_types: Mapping[str, UserType]
    products: Mapping[str, Product]
    max_borrow_days: int
    root: str = ""

    def key(self, kid: str, use: str) -> PublicKey:
        """The key with this thumbprint for this use. Raises UnknownKey when the authorization does not name it."""
        record = self.keys.get(kid)
        if record is None:
            raise UnknownKey(f"the authorization (seq {self.seq}) names no key {kid}", kid=kid, seq=self.seq)
        if record.use != use:
            raise KeyNotValid(f'the key {kid} is for "{record.use}", not for "{use}"', kid=kid, use=record.use)
        return record.key

    def check_key_at(self, kid: str, signed_at: int, jti: str | None) -> None:
        """Raises KeyNotValid when the key may not have signed at that time, or was revoked and does not know this `jti`."""
        record = self.keys.get(kid)
        if record is None:
            raise KeyNotValid(f"the newest authorization (seq {self.seq}) no longer names the key {kid}", kid=kid, seq=self.seq)
        if record.revoked and jti not in record.known:
            raise KeyNotValid(f"the key {kid} was revoked by the authorization with seq {self.seq}", kid=kid, seq=self.seq)
        if not record.nbf <= signed_at < record.exp:
            raise KeyNotValid(
                f"the key {kid} was not in use at {rfc3339_of(signed_at)}",
                hint="Tell the administrator: the clock of the authority was wrong when this was signed. "
                "What is signed again with the clock set right is good.",
                kid=kid,
                signed_at=signed_at,
            )

    def product(self, product_id: str) -> Product:
        """The product with this id. Raises NotAuthorized."""
        product = self.products.get(product_id)
        if product is None:
            raise NotAuthorized(f'the authorization (seq {self.seq}) has no product "{product_id}"', product=product_id)
        return product


def authorization(claims: Mapping[str, Any]) -> Authorization:
    """The authorization that these signed claims state. Raises Malformed or UnsupportedVersion."""
    read = Reader(claims, "the authorization", _AUTHORIZATION)
    read.version()
    products = [_product(item) for item in read.objects("products", _PRODUCT)]
    keys = [_signing_key(item) for item in read.objects("keys", _KEY, optional=frozenset({"revoked", "known"}))]
    members = read.object("members", frozenset({"total", "types"}))
    result = Authorization(
        vendor=read.text("iss"),
        organization=read.text("sub"),
        organization_name=read.text("organization"),
        seq=read.integer("seq", 1),
        iat=read.time("iat"),
        nbf=read.time("nbf"),
        exp=read.time("exp"),
        keys={key.key.kid: key for key in keys},
        members_total=members.integer_or_null("total"),
        members_by_type=_type_limits(members),
        user_types={name: _user_type(name, item) for name, item in read.mapping("user_types", FEATURE).items()},
        products={product.id: product for product in products},
        max_borrow_days=read.integer("max_borrow_days", 1, MOST_DAYS),
    )
    if len(result.products) != len(products) or len(result.keys) != len(keys):
        raise Malformed("the authorization names a product or a key twice")
    if not result.nbf < result.exp:
        raise Malformed(f"the authorization: nbf {result.nbf} and exp {result.exp} are not in order")
    _check_user_types(result)
    return result


def _signing_key(read: Reader) -> SigningKey:
    if read.text("alg") != "EdDSA":
        raise Malformed('the authorization: the "alg" of a key must be "EdDSA"')
    members = read.members()
    if type(members.get("revoked", False)) is not bool:
        raise Malformed('the authorization: "revoked" must be true or false')
    key = SigningKey(
        key=from_members(members),
        use=read.choice("use", ("borrow", "status")),
        nbf=read.time("nbf"),
        exp=read.time("exp"),
        revoked=members.get("revoked", False),
        known=frozenset(read.texts("known", BORROW_ID)) if "known" in members else frozenset(),
    )
    if read.text("kid") != key.key.kid:
        raise Malformed("the authorization: a key does not have the thumbprint that it claims", kid=read.text("kid"))
    return key


def _product(read: Reader) -> Product:
    product = Product(
        id=read.text("id", PRODUCT_ID),
        name=read.text("name"),
        mode=read.choice("mode", ("named", "concurrent")),
        levels=read.texts("levels", FEATURE),
        seats=read.counts("seats", FEATURE),
        extensions=read.counts("extensions", FEATURE),
        until=read.time_or_null("until"),
    )
    if not product.levels or not set(product.seats) <= set(product.levels):
        raise Malformed(f'the product "{product.id}" has no levels, or seats of a level that it does not have')
    if set(product.extensions) & set(product.levels):
        raise Malformed(f'the product "{product.id}" has a level and an extension of one name')
    return product


def _type_limits(members: Reader) -> dict[str, int | None]:
    limits = members.mapping("types", FEATURE)
    if not all(limit is None or (type(limit) is int and limit >= 0) for limit in limits.values()):
        raise Malformed("the authorization: a limit of members is an integer of at least 0, or null")
    return limits


def _user_type(name: str, item: object) -> UserType:
    read = Reader(item, f'the user type "{name}"', frozenset({"includes", "may_hold"}))
    includes = read.mapping("includes", PRODUCT_ID)
    if not all(isinstance(level, str) for level in includes.values()):
        raise Malformed(f'the user type "{name}": "includes" names a level for each product')
    return UserType(includes=includes, may_hold=read.texts("may_hold", PRODUCT_ID))


def _check_user_types(result: Authorization) -> None:
    """Types speak only of products and levels that there are; limits only of types that there are."""
    for name, user_type in result.user_types.items():
        for product, level in user_type.includes.items():
            if product not in result.products or level not in result.products[product].levels:
                raise Malformed(f'the user type "{name}" includes "{product}" at "{level}", which the authorization lacks')
        if not set(user_type.may_hold) <= set(result.products):
            raise Malformed(f'the user type "{name}" may hold a product that the authorization lacks')
    if not set(result.members_by_type) <= set(result.user_types):
        raise Malformed("the authorization limits a user type that it does not define")


class TrustStore(NamedTuple):
    """The root keys of one organization, by thumbprint. They alone need to be trusted; all else follows by signature.

    `succession` says which root keys were before them, and what of those stays good.
    `pins` are the thumbprints that the application takes of them, None when it leaves that to whoever installed the file.
    """

    organization: str
    roots: Mapping[str, PublicKey]
    succession: Succession
    pins: frozenset[str] | None = None

    @classmethod
    def read(cls, data: bytes | str) -> Self:
        """The store in a trust file: the root keys that it ends with, once its updates have replaced those that it begins with.

        Raises Malformed, also for one without root keys, which would trust nothing, and what `Succession.followed_by` raises.
        """
        _, members = files.parse(data, "trust")
        read = Reader(members, "the trust file", files.MEMBERS["trust"])
        updates = members["updates"]
        if not isinstance(updates, list):
            raise Malformed('the trust file: "updates" must be an array')
        first = Succession.of(root_keys(members["roots"], "a trust file"))
        succession = first.followed_by(updates) if updates else first
        return cls(read.text("organization"), succession.roots, succession)

    def continued_by(self, updates: Sequence[object]) -> Self:
        """The store after these trust updates. Raises what `Succession.continued_by` raises."""
        succession = self.succession.continued_by(updates)
        return self._replace(roots=succession.roots, succession=succession)

    def as_file(self) -> bytes:
        """The bytes of a trust file that says the same."""
        first, signatures = self.succession.first, self.succession.signatures
        roots = [root.as_jwk() for root in first.values()]
        return files.render("trust", {"roots": roots, "organization": self.organization, "updates": list(signatures)})

    def is_continued_in(self, other: Self) -> bool:
        """Whether another store begins as this one does and goes on from it, or is the same."""
        mine, others = self.succession, other.succession
        return (
            self.organization == other.organization
            and mine.first == others.first
            and mine.signatures == others.signatures[: len(mine.signatures)]
        )

    def authorize(self, compact: object) -> Authorization:
        """The authorization in a compact JWS that one of the roots signed for this organization.

        Raises Malformed, UnknownKey (another root), BadSignature, NotAuthorized (another organization), KeyNotValid (a root that
        was replaced, and the update does not name this authorization among those that stay good).
        """
        if not isinstance(compact, str):
            raise Malformed("the authorization is not a compact JWS")
        return _authorized(compact, self)

    def __hash__(self) -> int:
        return hash((self.organization, tuple(self.roots), self.succession.signatures, self.pins))

    def root(self, kid: str) -> PublicKey:
        """The root key with this thumbprint, of those of now or the former ones.

        Raises UnknownKey, or UntrustedRoot when none of the root keys that stand behind it is one that the application takes.
        """
        key = self.roots.get(kid) or self.succession.former.get(kid)
        if key is None:
            raise UnknownKey(
                f"the authorization is signed by the root key {kid}, the trust store has {', '.join(self.roots)}",
                hint=f"{UnknownKey.default_hint} If the vendor has a new root key, install the trust update.",
                kid=kid,
            )
        if self.pins is not None and not self.pins & self.succession.behind(kid):
            raise UntrustedRoot(
                f"the license comes from the root key {kid}, the application trusts {', '.join(sorted(self.pins)) or 'none'}",
                kid=kid,
                pinned=sorted(self.pins),
            )
        return key

    def pinned(self, roots: Iterable[str] | None, organization: str | None = None) -> Self:
        """The store for an application that takes these root keys alone (thumbprints; None: any), and this organization.

        Raises NotAuthorized for the trust file of another organization, ValueError for what is no thumbprint.
        """
        if organization is not None and organization != self.organization:
            raise NotAuthorized(
                f'the application is for the organization "{organization}", the trust file here is of "{self.organization}"',
                hint="Install the trust file and a borrow of that organization.",
                organization=self.organization,
            )
        return self if roots is None else self._replace(pins=thumbprints(roots))

    def warnings(self, authorization: Authorization) -> tuple[str, ...]:
        """What an application is told when it left open whom to trust, and of the published sample key always."""
        unpinned = (UNPINNED.format(root=authorization.root),) if self.pins is None else ()
        return unpinned + ((SAMPLE_SIGNED,) if authorization.root in SAMPLE_ROOTS else ())


def thumbprints(roots: Iterable[str]) -> frozenset[str]:
    """These thumbprints of root keys, or the one. Raises ValueError for a text that is none."""
    pins = frozenset([roots] if isinstance(roots, str) else roots)
    for pin in pins:
        if not THUMBPRINT.match(pin):
            raise ValueError(f'"{pin}" is no thumbprint of a root key: 43 letters, digits, - and _')
    return pins


# An application that asks often pays for the chain once: the same text under the same roots says the same.
@lru_cache(maxsize=8)
def _authorized(compact: str, trust: TrustStore) -> Authorization:
    signed = open_by_kid(compact, AUTHORIZATION_TYP, trust.root, longest=LONGEST_AUTHORIZATION)
    if signed.key.kid not in trust.roots and digest_of(compact) not in trust.succession.known:
        raise KeyNotValid(
            f"the root key {signed.key.kid} was replaced by the trust update {trust.succession.seq}, "
            "which does not name this authorization among those that stay good",
            kid=signed.key.kid,
            seq=trust.succession.seq,
        )
    result = authorization(signed.claims)._replace(root=signed.key.kid)
    if result.organization != trust.organization:
        raise NotAuthorized(
            f'the authorization is for the organization "{result.organization}", the trust store for "{trust.organization}"',
            organization=result.organization,
        )
    return result
