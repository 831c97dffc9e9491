"""Runs all of it."""

from __future__ import annotations

from tests.bench.organization import bench_organization
from tests.bench.serving import bench_serving
from tests.bench.verifying import bench_start, bench_verify

if __name__ == "__main__":
    for bench in (bench_verify, bench_start, bench_organization, bench_serving):
        print(f"\n{(bench.__doc__ or '').splitlines()[0]}")
        bench()
