"""Readers, one for each kind of log: text comes in, parquet files of events come out, with a count of what was not understood."""
