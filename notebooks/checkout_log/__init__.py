"""What checkout logs say: read -> events -> sessions -> measures -> pictures. Reads logs, and imports neither other room."""

from checkout_log.log import Log
from checkout_log.reading import read

__all__ = ["Log", "read"]
