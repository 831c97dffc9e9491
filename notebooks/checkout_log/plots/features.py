"""The rows of one feature out of a frame with several."""

from __future__ import annotations

import pandas as pd

from checkout_log.errors import QuestionInvalid
from checkout_log.plots.style import shortened

# Longer names of features and products do not fit in a title beside what it says.
_MOST_FEATURE, _MOST_PRODUCT = 34, 16


def of_feature(frame: pd.DataFrame, product: str | None, feature: str | None) -> pd.DataFrame:
    """The rows of one feature of one product; both may be left out where the frame holds one only. Raises QuestionInvalid."""
    rows = frame
    for name, value in (("feature", feature), ("product", product)):
        if value is not None:
            rows = rows[rows[name] == value]
    if product is not None and feature is not None:
        return rows.reset_index(drop=True)
    features = rows[["product", "feature"]].drop_duplicates()
    if len(features) > 1:
        known = "; ".join(f"{row.product} {row.feature}" for row in features.head(8).itertuples())
        raise QuestionInvalid(f"the table holds {len(features)} features ({known})", hint="Say which: product=..., feature=...")
    return rows.reset_index(drop=True)


def name_of(rows: pd.DataFrame) -> str:
    """The feature of these rows as a title: its name, then its product."""
    if rows.empty:
        return "No feature"
    first = rows.iloc[0]
    return f"{shortened(str(first['feature']), _MOST_FEATURE)} ({shortened(str(first['product']), _MOST_PRODUCT)})"


def told_apart(features: pd.DataFrame) -> list[str]:
    """A name for each of these features: of those that several products have, with the product."""
    twice = features["feature"].duplicated(keep=False)
    rows = zip(features["feature"], features["product"], twice, strict=True)
    return [
        f"{shortened(str(name), _MOST_FEATURE)} ({shortened(str(product), _MOST_PRODUCT)})" if both else str(name)
        for name, product, both in rows
    ]
