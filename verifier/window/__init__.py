"""The window of `carnet window`: what the command does, with Tk of the standard library; keyboard alone is enough. No rule of its own."""
