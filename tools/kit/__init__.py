"""The install kit: a folder by which a machine without a package index gets `carnet`, built from the lock."""
