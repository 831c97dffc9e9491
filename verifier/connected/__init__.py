"""What this workstation does with the licensing authority when there is a line: each use case keeps its state as if a file had been carried."""
