"""The tests: one folder for each room, and `support` with what they share."""
