"""Offline: what is out, until when, and how it ends."""

from flask import Blueprint

pages = Blueprint("offline", __name__)
