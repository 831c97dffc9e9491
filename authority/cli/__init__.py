"""The `carnet-authority` command: parse, call one service, print. No rule of its own."""
