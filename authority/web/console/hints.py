"""What a refusal says to do, in the words of pages."""

from __future__ import annotations

from authority.web.problems import hint_in

# What a hint for the terminal says, and where the same is done on a page.
ON_PAGES = {
    "carnet-authority authorization show lists": "The page Authorization lists",
    "carnet-authority borrow show ID tells": "its page tells",
    "carnet-authority borrow check-in FILE": "the page Exchange",
    "carnet-authority session end ID": "the page Activity",
    "the list commands show what there is": "the lists show what there is, and find a part of a name",
    "carnet-authority channel list shows": "The page Notifications shows",
    "Let carnet-authority notify run every few minutes, or serve with --notify; carnet-authority channel test NAME tries a channel.": (
        "Whoever runs this server lets notices be looked for every few minutes; the page Notifications tries a channel."
    ),
    "carnet-authority api-key list shows": "The page API keys shows",
    "carnet-authority sign-in list NAME shows": "The page of the member shows",
    "carnet-authority license availability shows": "The page Licenses shows",
    "carnet-authority pool show lists": "The page Rules lists",
    "carnet-authority key list --public -o KEYS.json": "the page Keys, for the public keys",
    "authorizes them with carnet-authority root authorize; then carnet-authority authorization install FILE": (
        "authorizes them; then the page Authorization"
    ),
    "carnet-authority key rotate": "the page Keys, to make one",
    "carnet-authority member set NAME --role administrator": "on the member's page",
    "carnet-authority member set NAME --password-file FILE": "The page of a member sets one.",
    "carnet-authority member remove NAME": "on the page of the member",
    "Seal it: carnet-authority log seal": "Ask whoever runs the server to seal it.",
    "Look at it again, and send your change with its new version.": (
        "What you did not change is shown as it is now. Look at it, and press the button again: only what you changed is changed."
    ),
    "say --release to": "tick the box to",
    "say so: --accept-overlap": "tick the box",
    "--member NAME": "choose a member",
    "--trust FILE --accept-root THUMBPRINT": "the trust file and the thumbprint",
    "--accept-root THUMBPRINT": "the thumbprint of the root key",
    "Send a JSON body as the documentation of the route says.": "Fill in the form of the page anew.",
    "Check the path; /openapi.json lists all of them.": "Check the address, or go on from the menu.",
    "Check the method; /openapi.json lists all of them.": "Go on from the menu.",
    "Send Content-Type: application/json.": "Fill in the form of the page anew.",
    "Is the server of the database running, and is the setting database_url right?": "Try again in a moment.",
}


def hint_on_page(code: str, hint: str) -> str:
    """The hint of a problem in the words of pages, in place of commands and options."""
    return hint_in(ON_PAGES, code, hint)
