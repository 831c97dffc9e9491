"""The workstation's room: bytes and a time go in; a Grant comes out, or an error that explains. A check opens no network connection.

An application asks at its start::

    import verifier

    try:
        grant = verifier.check("arcgis-pro", "Standard", ["3DAnalyst"], roots=VENDOR_ROOTS)
    except verifier.NotGood as error:      # the license is not good
        print(error.message, error.hint)
    except verifier.NotChecked as error:   # it could not be checked
        print(error.message, error.hint)

`VENDOR_ROOTS` are the thumbprints of the vendor's root keys, as constants of the application or by `verifier.read_roots(FILE)`.

`core` decides, `workstation` reads and keeps this machine's state around it, `cli` is the command `carnet`; `online` and `connected`
are for the commands that talk to an authority, and nothing else imports them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verifier.core.grant import Grant, Workstation
    from verifier.core.steps import verify
    from verifier.core.trust import TrustStore
    from verifier.errors import CarnetError, NotChecked, NotGood
    from verifier.workstation.check import check
    from verifier.workstation.roots import read_roots

__all__ = ["CarnetError", "Grant", "NotChecked", "NotGood", "TrustStore", "Workstation", "check", "read_roots", "verify"]

_WHERE = {
    "CarnetError": "verifier.errors",
    "Grant": "verifier.core.grant",
    "NotChecked": "verifier.errors",
    "NotGood": "verifier.errors",
    "TrustStore": "verifier.core.trust",
    "Workstation": "verifier.core.grant",
    "check": "verifier.workstation.check",
    "read_roots": "verifier.workstation.roots",
    "verify": "verifier.core.steps",
}


def __getattr__(name: str) -> Any:
    """Imports what was asked for only now, so that the command can end in order whenever it is interrupted."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value
