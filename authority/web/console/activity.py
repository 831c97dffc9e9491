"""Activity: who used a product when, on which computer, and who is offline."""

from flask import Blueprint

pages = Blueprint("activity", __name__)
