"""My license: what a member has, and taking it offline and giving it back (seed S3)."""

from flask import Blueprint

pages = Blueprint("my_license", __name__)
