"""The `carnet` command: parse, call one function of the verifier, print. No rule of its own."""
