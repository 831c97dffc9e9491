"""Exchange: files that came on a medium, and what is answered to them."""

from flask import Blueprint

pages = Blueprint("exchange", __name__)
