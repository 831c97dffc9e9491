"""One use case, one function, one transaction, named by its verb; the log row is in the same transaction as what it tells."""
