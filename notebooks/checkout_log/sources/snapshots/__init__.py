"""What license servers list at a moment, as events between one list and the next. Knows no server's form of it."""
