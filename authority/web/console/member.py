"""A member: who it is, what they hold and use, and what is changed of it."""

from flask import Blueprint

pages = Blueprint("member", __name__)
