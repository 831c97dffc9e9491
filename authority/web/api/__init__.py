"""The REST API: one file for each resource; each route parses, calls one service and shows."""
