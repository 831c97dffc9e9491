"""How many seats are enough: for the use there was, for the denials there were, in some weeks, and with a shorter longest borrow."""

from checkout_log.sizing.borrow_limit import WHAT_IF, what_if
from checkout_log.sizing.forecasts import FORECAST, forecast
from checkout_log.sizing.seat_numbers import ENOUGH, demanded, enough

__all__ = ["ENOUGH", "FORECAST", "WHAT_IF", "demanded", "enough", "forecast", "what_if"]
