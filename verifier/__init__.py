"""The workstation's room: bytes and a time go in; a Grant comes out, or an error that explains. It opens no network connection.

An application asks at its start::

    import verifier

    try:
        grant = verifier.check("arcgis-pro", "Standard", ["3DAnalyst"])
    except verifier.NotGood as error:      # the license is not good
        print(error.message, error.hint)
    except verifier.NotChecked as error:   # it could not be checked
        print(error.message, error.hint)

`core` decides, `workstation` reads and keeps this machine's state around it, `cli` is the command `carnet`.
"""

from verifier.core.grant import Grant, Workstation
from verifier.core.steps import verify
from verifier.core.trust import TrustStore
from verifier.errors import CarnetError, NotChecked, NotGood
from verifier.workstation.check import check

__all__ = ["CarnetError", "Grant", "NotChecked", "NotGood", "TrustStore", "Workstation", "check", "verify"]
