"""Frozen values and pure rules: no SQL, no Flask, no clock, no randomness. Who knows the field can read the rules here."""
