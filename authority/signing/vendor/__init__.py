"""The vendor's side: a root key, a readable specification, and the authorizations made of both. No authority needs it to serve."""
