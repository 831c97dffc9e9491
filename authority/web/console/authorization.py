"""Authorization: what the vendor licensed, and installing another one."""

from flask import Blueprint

pages = Blueprint("authorization", __name__)
