"""Simulated clocks, judged by the verifier's own rules: honest machines count who is refused wrongly, cheats count what they gain."""
