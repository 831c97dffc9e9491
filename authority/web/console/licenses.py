"""Licenses: what is licensed, assigned and free, and who holds it."""

from flask import Blueprint

pages = Blueprint("licenses", __name__)
