"""What makes and measures the repository, and is no part of the product: pages written from the code, the notebooks run anew, the gallery. `make` calls it."""
