"""Overview: what is licensed and used, what ends soon, and what somebody has to look into."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, request

from authority.domain.refusals import NoSuchProduct
from authority.presentation.overview import OverviewShown, ProductFiguresShown
from authority.services import figures
from authority.web.console import cookies
from authority.web.console.charts import Chart, bar_chart
from authority.web.console.forms import Form, Text, read
from authority.web.console.frame import page
from authority.web.console.visiting import product_name, unit

pages = Blueprint("overview", __name__)

MOST_DAYS = 90


class Choice(Form):
    product: Text | None = None


@pages.get("/")
def index() -> Response:
    """All figures as of now, and the last days of one product: the one that is asked for, or that is used most."""
    shown = OverviewShown.of(figures.show(unit(), cookies.zone()))
    products = {product.product: product for product in shown.products}
    most_used = max(shown.products, key=lambda product: product.in_use_by_day[-1], default=None)
    wanted = read(Choice, request.args).product
    if wanted is not None and wanted not in products:
        raise NoSuchProduct(f'nothing is licensed or used of a product "{wanted}"', hint=f"There is {', '.join(products)}.")
    product = most_used if wanted is None else products[wanted]
    in_use = None if product is None else _in_use(shown, product)
    return page(
        "overview.html",
        shown=shown,
        product=product,
        in_use=in_use,
        ends=_ends(shown),
        names=[(name, product_name(name)) for name in products],
    )


def _in_use(shown: OverviewShown, product: ProductFiguresShown) -> Chart:
    points = [(str(day), count) for day, count in zip(shown.days, product.in_use_by_day, strict=True)]
    return bar_chart(f"Seats of {product_name(product.product)} in use, the most on each day", points, product.licensed)


def _ends(shown: OverviewShown) -> Chart:
    """Every day from today on, also those on which none ends."""
    counts = {item.day: item.count for item in shown.ends_by_day}
    today = shown.days[-1]
    number = min((max(counts, default=today) - today).days + 1, MOST_DAYS)
    days = [today + timedelta(days=after) for after in range(number)]
    return bar_chart("Borrows by the day on which they end", [(str(day), counts.get(day, 0)) for day in days])
