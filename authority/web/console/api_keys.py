"""API keys: what programs sign in with."""

from flask import Blueprint

pages = Blueprint("api_keys", __name__)
