"""The organization that the simulator takes when none is given: some 300 members, four products, one year."""

from __future__ import annotations

from datetime import date, time

from checkout_log.simulate.parts import (
    AUTHORITY,
    FLEXNET,
    RLM,
    Batch,
    Feature,
    FieldCrew,
    Group,
    OfficeHours,
    Planted,
    Product,
    Restart,
    Students,
    Use,
)

PRO = Product(
    "arcgis-pro",
    AUTHORITY,
    (Feature("Basic", 80), Feature("Standard", 80), Feature("Advanced", 120)),
    (Feature("3DAnalyst", 60), Feature("SpatialAnalyst", 80), Feature("NetworkAnalyst", 40)),
    named=True,
)
DESKTOP = Product("arcgis-desktop", AUTHORITY, (Feature("Advanced", 24),), (Feature("NetworkAnalyst", 6),))
CALCULATION = Product(
    "strucalc",
    FLEXNET,
    (Feature("SUITE", 14), Feature("Analysis", 14)),
    (Feature("Report_Gen", 12), Feature("Solver", 84)),
    version="24.100",
    probed=("Analysis_Cloud", "Telemetry"),
    idle_minutes=60,
)
MODELS = Product("geomodel", RLM, (Feature("modeler", 12),), (Feature("seismic", 3),), version="7.2", probed=("modeler_beta",))

_SUITE = Use("strucalc", ("SUITE", "Analysis"), 1.2)
_OFFICE = OfficeHours(
    uses=(
        Use("arcgis-pro", ("Standard",), 3),
        Use("arcgis-pro", ("Advanced", "SpatialAnalyst"), 1.5),
        Use("arcgis-pro", ("Advanced", "3DAnalyst"), 0.8),
        Use("arcgis-desktop", ("Advanced",), 1.5),
        Use("arcgis-desktop", ("Advanced", "NetworkAnalyst"), 0.4),
        _SUITE,
        Use("strucalc", ("Report_Gen",), 0.5),
        Use("geomodel", ("modeler",), 0.6),
        Use("geomodel", ("modeler", "seismic"), 0.2),
    ),
    borrows=(Use("arcgis-pro", ("Standard",)), Use("geomodel", ("modeler",), 0.3)),
)
_FIELD = FieldCrew(
    uses=(Use("arcgis-pro", ("Advanced",), 2), Use("arcgis-desktop", ("Advanced",)), Use("strucalc", ("Report_Gen",), 0.3)),
    borrows=(Use("arcgis-pro", ("Advanced",), 3), Use("arcgis-desktop", ("Advanced",)), Use("geomodel", ("modeler",), 0.7)),
)
_TERMS = (
    (date(2024, 10, 14), date(2025, 2, 14)),
    (date(2025, 4, 22), date(2025, 7, 25)),
    (date(2025, 10, 13), date(2026, 2, 13)),
)
_STUDENTS = Students(
    uses=(_SUITE, Use("arcgis-desktop", ("Advanced",), 0.5), Use("arcgis-pro", ("Basic",), 1)),
    borrows=(Use("arcgis-pro", ("Basic",)),),
    terms=_TERMS,
)
_BATCH = Batch(uses=(Use("strucalc", ("Solver",), 3), Use("strucalc", ("Solver",), 1, quantity=4)))

PRODUCTS = (PRO, DESKTOP, CALCULATION, MODELS)
GROUPS = (
    Group("office", 176, _OFFICE),
    Group("field", 44, _FIELD),
    Group("students", 70, _STUDENTS),
    Group("batch", 10, _BATCH),
)
BEGINS_ON, DAYS, TIMEZONE = date(2024, 11, 18), 366, "Europe/Berlin"
HOLIDAYS = (
    *(date(2024, 12, day) for day in range(24, 32)),
    *(date(2025, month, day) for month, day in ((1, 1), (4, 18), (4, 21), (5, 1), (5, 29), (6, 9), (10, 3))),
)
# The crash is on a busy morning, and long enough before the last look that whoever was cut would have come back.
RESTARTS = (
    Restart(FLEXNET, date(2025, 3, 2), time(6)),
    Restart(RLM, date(2025, 5, 11), time(5, 30), minutes=5),
    Restart(FLEXNET, date(2025, 7, 6), time(6), minutes=25),
    Restart(FLEXNET, date(2025, 10, 9), time(10, 47), minutes=9, clean=False),
)
PLANTED = Planted()
