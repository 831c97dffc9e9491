"""Sends to the servers of others, and is the only room that does: one message, one try, an outcome within a time and a size."""
