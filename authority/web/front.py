"""What whoever opens the server's address is told: what this is, and how to sign in."""

PAGE = """\
Carnet, an offline license authority.

Sign in with a user name and a password; the answer has a token that is good for twelve hours:

    curl {url}api/v1/sign-in -H 'Content-Type: application/json' -d '{{"username": "admin", "password": "..."}}'

Then send the token, or an API key, with each request:

    curl {url}api/v1/me -H 'Authorization: Bearer TOKEN'
    curl {url}api/v1/borrows?state=active -H 'Authorization: Bearer TOKEN'

The first administrator's password was printed once, when the authority was set up. To set another, on the server:

    carnet-authority member set admin --password-file FILE

Open to everybody:

    {url}openapi.json          every route, its bodies and its answers
    {url}api/v1/trust          the trust file that a workstation installs first
    {url}api/v1/status-list    what ended before its time, to be carried to workstations
    {url}healthz, {url}readyz  whether this process, and its database, answer

On the server's own machine carnet-authority --help lists the commands.
"""


def front_page(url: str) -> str:
    """The page as plain text, for a server at this URL, which ends with a slash."""
    return PAGE.format(url=url)
