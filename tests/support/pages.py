"""What a browser would find in a page."""

from __future__ import annotations

from html.parser import HTMLParser

_EMPTY = {"meta", "img", "br", "hr", "input", "link"}


class Page(HTMLParser):
    """Tags, attributes, ids, headings, the style and the text of a page; tags that do not close in order are an error."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.ids: set[str] = set()
        self.headings: list[str] = []
        self.style = ""
        self.text = ""
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids |= {value or "" for name, value in attrs if name == "id"}
        if tag in {"h1", "h2"}:
            self.headings.append("")
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"{tag} closes out of order"

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        if inside == "style":
            self.style += data
            return
        if inside in {"h1", "h2"}:
            self.headings[-1] += data
        self.text += data


def parsed(html: str) -> Page:
    """The page that this HTML makes; everything that was opened is closed."""
    page = Page()
    page.feed(html)
    page.close()
    assert not page._open
    return page
