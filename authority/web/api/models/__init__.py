"""What comes in and goes out, as models that both check and document: one file for each group of routes."""
