"""Outputs of LM-X's `lmxendutil -licstat` and `-licstatxml`: lines -> snapshots, whose events come of `snapshots`. Knows no other source."""
