"""Bytes and a time in, a Grant or an error out: no file, no clock, no environment, no network."""
