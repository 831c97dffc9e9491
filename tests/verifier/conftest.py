"""Fixtures of the verifier's room; they need nothing of the authority, so that this room's tests run where only the verifier is."""

from tests.support.vectors import vectors

__all__ = ["vectors"]
