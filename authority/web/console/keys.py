"""Keys: what the authority signs with."""

from flask import Blueprint

pages = Blueprint("keys", __name__)
