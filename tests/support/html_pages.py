"""What every page of the console keeps to, looked for in its HTML."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urlsplit

EMPTY = {"meta", "img", "br", "hr", "input", "link"}
ADDRESSES = {"href", "src", "action", "formaction", "data-hx-get", "data-hx-post", "poster", "srcset"}
NAMED_BY_A_LABEL = {"input", "select", "textarea"}
# Elements that a page is made of: another one is somebody's text that became markup.
WORDS = """
html head meta title link script body header main nav footer section aside div p span small strong em code pre kbd a img hr br
h1 h2 h3 h4 ul ol li dl dt dd table caption thead tbody tfoot tr th td figure figcaption details summary time progress meter
form fieldset legend label input select option optgroup textarea button output datalist svg g path rect line circle text desc
polyline
"""
KNOWN = frozenset(WORDS.split())


class ConsolePage(HTMLParser):
    """A page as a tree of tags that close in order; `faults` says where it does not keep to the rules."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.labels: set[str] = set()
        self.controls: list[str] = []
        self.headings: list[str] = []
        self.links: list[str] = []
        self.forms: list[tuple[str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self._has_token = True
        self.feed(html)
        self.close()
        self._check_whole()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._check(tag not in KNOWN, f"<{tag}> is not of this house")
        self._check(tag == "script" and not values.get("src"), "a script stands in the page")
        for name, value in values.items():
            self._check(name == "style" or name.startswith(("on", "data-hx-on")), f"<{tag} {name}> is forbidden by the policy")
            self._check(name in ADDRESSES and not _is_own(value), f"<{tag} {name}={value!r}> leads elsewhere")
        if "id" in values:
            self.ids.append(values["id"])
        self._look_at_form(tag, values)
        if tag in {"h1", "h2", "h3", "h4"}:
            self.headings.append(tag)
        if tag == "a":
            self.links.append(values.get("href", ""))
        if tag not in EMPTY:
            self._open.append(tag)

    def _look_at_form(self, tag: str, values: dict[str, str]) -> None:
        if tag == "form":
            self.forms.append((values.get("method", "get").lower(), values.get("action", "")))
            self._has_token = self.forms[-1][0] == "get"
        if tag == "input" and values.get("name") == "form_token":
            self._has_token = bool(values.get("value"))
        if tag == "label":
            self.labels.add(values.get("for", ""))
        is_hidden = values.get("type") == "hidden"
        if tag in NAMED_BY_A_LABEL and not is_hidden and "aria-label" not in values and "label" not in self._open:
            self.controls.append(values.get("id", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in EMPTY:
            return
        opened = self._open.pop() if self._open else "nothing"
        self._check(opened != tag, f"</{tag}> closes {opened}")
        self._check(tag == "form" and not self._has_token, "a form has no token")

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        self._check(inside == "script" and data.strip() != "", "a script stands in the page")
        self.text += data

    def _check(self, is_wrong: bool, fault: str) -> None:
        if is_wrong:
            self.faults.append(fault)

    def _check_whole(self) -> None:
        self._check(self._open != [], f"{self._open} stay open")
        self._check(len(set(self.ids)) < len(self.ids), f"an id stands twice: {sorted(self.ids)}")
        self._check(self.headings.count("h1") != 1, f"{self.headings.count('h1')} headings of the first level")
        unnamed = [control for control in self.controls if control not in self.labels]
        self._check(unnamed != [], f"fields without a label: {unnamed}")
        dead = [link for link in self.links if link.startswith("#") and link != "#" and link[1:] not in self.ids]
        self._check(dead != [], f"links to no part of the page: {dead}")


def _is_own(address: str) -> bool:
    """True for an address on this very server."""
    parts = urlsplit(address)
    return not parts.scheme and not parts.netloc and "\\" not in address
