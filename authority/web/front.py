"""What whoever opens the server's address is told: what this is, and how to sign in."""

PAGE = """\
Carnet, an offline license authority.

Below, URL stands for the address at which you opened this page, without the slash at its end:

    URL=https://...

Sign in with a user name and a password, which is asked for and stands in no history; the answer has a token that is good for
twelve hours:

    python3 -c 'import getpass, json; print(json.dumps({"username": "admin", "password": getpass.getpass()}))' |
        curl "$URL/api/v1/sign-in" -H 'Content-Type: application/json' -d @-

Then send the token, or an API key, with each request. The first line waits for it to be pasted:

    read -rs TOKEN
    printf 'Authorization: Bearer %s' "$TOKEN" | curl "$URL/api/v1/me" -H @-
    printf 'Authorization: Bearer %s' "$TOKEN" | curl "$URL/api/v1/borrows?state=active" -H @-

The first administrator's password was printed once, when the authority was set up. To set another, on the server:

    carnet-authority member set admin --password-file -

A workstation does all that with: carnet authority URL, carnet sign-in NAME, carnet borrow PRODUCT.

Open to everybody:

    $URL/docs                  every route, its bodies and its answers, to read
    $URL/openapi.json          the same for programs
    $URL/api/v1/trust          the trust file that a workstation installs first
    $URL/api/v1/status-list    what ended before its time, to be carried to workstations
    $URL/healthz, $URL/readyz  whether this process, and its database, answer

On the server's own machine carnet-authority --help lists the commands.
"""
