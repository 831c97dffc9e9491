"""Log: what happened, by whom, and its files."""

from flask import Blueprint

pages = Blueprint("log", __name__)
