"""HTTP: parse, call one service, render. No rule of its own."""
