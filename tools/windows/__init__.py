"""A real Windows Python on Linux: set up with Wine in a folder of the user's cache, every part pinned, and used for the verifier's tests."""
