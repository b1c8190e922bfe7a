"""Texts that try to become markup, code, links, formulas or formats; or to break a layout."""

HOSTILE = [
    "<img src=x onerror=window.__pwned=1>",
    "<script>window.__pwned=2</script>",
    "${window.__pwned=3} {{window.__pwned=4}} {{constructor.constructor('window.__pwned=5')()}}",
    "`${window.__pwned=6}` \\u003cimg src=x onerror=window.__pwned=7\\u003e",
    "[click](javascript:window.__pwned=8) ![x](https://evil.test/pixel.png)",
    "</textarea></pre></details><svg/onload=window.__pwned=9>",
    "&lt;img src=x onerror=window.__pwned=10&gt; &#60;script&#62;",
    "\u202eevil\u202c \u0000 25$ and $x$ $$y$$ 😀 أهلا",
    '<iframe srcdoc="<script>parent.__pwned=11</script>"></iframe>',
    '=HYPERLINK("https://evil.test","x")',
    "%s%n%x {0.__class__} {} %(name)s",
    "<a href=javascript:window.__pwned=12>x</a><style>*{display:none}</style>",
]
TEXT = "\n".join(HOSTILE)
SHOWN = HOSTILE[0]

MADE_FROM_TEXT = (
    "[onerror], [onload], img[src='x'], img[src*='evil'], iframe[srcdoc], "
    "a[href^='javascript:'], a[href*='evil']"
)
"""Elements that only such a text can have made."""
