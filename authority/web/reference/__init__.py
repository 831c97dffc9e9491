"""The pages at /docs: every route as `/openapi.json` has it, for people to read; nothing in them comes from elsewhere or runs."""
