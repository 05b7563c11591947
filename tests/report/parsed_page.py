"""A page as its elements, read with the standard library's parser."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "link", "img", "br", "hr", "input", "wbr"}


@dataclass
class Element:
    """An element with all text below it."""

    tag: str
    attributes: dict[str, str | None]
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def classes(self) -> list[str]:
        return (self.attributes.get("class") or "").split()


class Page(HTMLParser):
    """Every element of a page in document order; an end tag that closes nothing is an error."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.text = ""
        self._open: list[Element] = []
        self.feed(source)
        self.close()
        if self._open:
            raise ValueError(f"never closed: {[element.tag for element in self._open]}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            raise ValueError(f"an attribute twice: {tag} {names}")
        element = Element(tag, dict(attrs))
        self.elements.append(element)
        if self._open:
            self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            raise ValueError(f"</{tag}> where {[e.tag for e in self._open]} are open")
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1].tag == "style":
            return
        self.text += data
        for element in self._open:
            element.text += data

    def all(self, tag: str = "", class_: str = "") -> list[Element]:
        return [
            element
            for element in self.elements
            if (not tag or element.tag == tag) and (not class_ or class_ in element.classes())
        ]

    def with_id(self, identity: str) -> Element:
        (found,) = [e for e in self.elements if e.attributes.get("id") == identity]
        return found
