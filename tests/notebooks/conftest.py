"""What the tests of the analysts' library share."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import ibis
import pytest

from checkout_log.engine import Engine
from tests.notebooks.replay.home import Home, make_home

OPTIONS = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    # Small tables give no reason to plan anew after each stage.
    "spark.sql.adaptive.enabled": "false",
    # Plans of small tables take longer to compile than to run.
    "spark.sql.codegen.wholeStage": "false",
    # Java compiles what runs for hours more thoroughly than what is over in a minute.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    # A zone that no result may depend on.
    "spark.sql.session.timeZone": "America/New_York",
}


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A small organization whose habits an authority played through for some weeks, and its log; whoever changes it works on a copy."""
    made = make_home(tmp_path_factory.mktemp("replay"))
    yield made
    made.replay.bench.authority.database.close()


def _has_java() -> bool:
    java = shutil.which("java")
    return java is not None and subprocess.run([java, "-version"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Spark in local mode, one for all tests."""
    pyspark = pytest.importorskip("pyspark.sql", reason="PySpark is not installed")
    if not _has_java():
        pytest.skip("Spark needs Java, and there is none here")
    builder = pyspark.SparkSession.builder.master("local[2]").appName("checkout_log")
    for name, value in OPTIONS.items():
        builder = builder.config(name, value)
    session = builder.config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse"))).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield Engine(ibis.pyspark.connect(session))
    session.stop()
