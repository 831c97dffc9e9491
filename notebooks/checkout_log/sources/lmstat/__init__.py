"""Outputs of `lmstat -a`: rows -> snapshots -> events between them. Knows no other source."""
