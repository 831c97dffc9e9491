"""Settings become a running authority, here and nowhere else."""
