"""Rules: who may go offline for how long, and the seats of pools."""

from flask import Blueprint

pages = Blueprint("rules", __name__)
