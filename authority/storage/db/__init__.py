"""The engine, its transactions, the tables and their migrations; nothing here knows what a row means."""
