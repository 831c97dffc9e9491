"""How tokens write bytes, digests and times, for rooms that do not know the verifier."""

from verifier.core.keys import digest_of, encode
from verifier.core.times import instant

__all__ = ["digest_of", "encode", "instant"]
