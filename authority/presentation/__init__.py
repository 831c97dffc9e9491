"""One shown object for each thing: the answer of a route, `--json`, a row of CSV and a page are made from it. No rule, no query."""
