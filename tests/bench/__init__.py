"""Speed, as ratios of things measured in one run: `make bench`. The floor beside each figure says how far we are."""
