"""The habits of a simulated organization played through a real authority for some weeks, so that its log can be compared with what happened."""
