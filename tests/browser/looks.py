"""How a page stands in its window: its background, its width, what the Tab key reaches."""

from __future__ import annotations

from typing import cast

from playwright.sync_api import Page

PHONE = {"width": 390, "height": 844}  # of many phones, in CSS pixels

_LIGHTNESS = """() => {
  const behind = (one) => getComputedStyle(one).backgroundColor;
  const colours = [document.body, document.documentElement].map(behind);
  const opaque = colours.find((colour) => !colour.endsWith(", 0)")) || "rgb(0, 0, 0)";
  const [red, green, blue] = opaque.match(/[\\d.]+/g).map(Number);
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}"""
_WIDER = """() => [...document.querySelectorAll("body *")]
  .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((one) => one.tagName.toLowerCase() + "." + one.className)"""
# What a keyboard must reach, numbered in the order of the page
_NUMBER = """() => {
  const all = [...document.querySelectorAll(
    "a[href], button:enabled, input:not([type=hidden]):enabled, select, textarea, summary, [tabindex='0']")]
    .filter((one) => one.checkVisibility());
  all.forEach((one, place) => { one.dataset.place = place; });
  return all.length;
}"""
_FOCUSED = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  const place = one.dataset.place === undefined ? -1 : Number(one.dataset.place);
  return [place, style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0];
}"""


def lightness(page: Page) -> float:
    """Of the page's background: 0 is black, 1 is white; no background of its own counts as black."""
    return cast(float, page.evaluate(_LIGHTNESS))


def scrolls_sideways(page: Page) -> bool:
    """True when the page is wider than its window."""
    root = "document.documentElement"
    return cast(bool, page.evaluate(f"() => {root}.scrollWidth > {root}.clientWidth"))


def wider(page: Page) -> list[str]:
    """What stands out of the window to the right, for the message of a test that fails."""
    return cast(list[str], page.evaluate(_WIDER))


def unreached(page: Page) -> list[str]:
    """What the Tab key does not reach, reaches out of the page's order or leaves without a visible focus."""
    count, problems, order = page.evaluate(_NUMBER), list[str](), list[int]()
    for _ in range(count + 5):  # an autofocus in the middle, the document and the window take turns too
        page.keyboard.press("Tab")
        place, visible = page.evaluate(_FOCUSED)
        if place >= 0 and place not in order:
            order.append(place)
            problems += [] if visible else [f"number {place} shows no focus"]
    first = order.index(min(order)) if order else 0
    if order[first:] + order[:first] != list(range(count)):
        problems.append(f"{count} to reach, reached in this order: {order}")
    return problems
