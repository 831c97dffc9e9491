"""This machine's own state around the core: what is kept on the disk, who and where this process is, and what time it is."""
