"""The tables of docs/compatibility.md: made by the runs, between their marks."""

import re


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write(page, mark, text):
    """Puts `text` between the two marks `<!-- mark -->` of the page."""
    pattern = re.compile(rf"(<!-- {mark} -->\n).*?(\n?<!-- {mark} -->)", re.S)
    old = page.read_text()
    new, count = pattern.subn(lambda marks: f"{marks[1]}{text}\n{marks[2].lstrip()}", old)
    if count != 1:
        raise RuntimeError(f"{page} has no pair of marks <!-- {mark} -->")
    page.write_text(new)
