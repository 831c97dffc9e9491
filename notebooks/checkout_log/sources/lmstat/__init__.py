"""Outputs of `lmstat -a`: rows -> snapshots, whose events come of `snapshots`. Knows no other source."""
