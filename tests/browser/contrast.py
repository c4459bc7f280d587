"""How well the texts of a page stand out from what is behind them (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

from typing import cast

from playwright.sync_api import Page

ENOUGH = 4.5  # level AA, for texts of any size

_FAINT = """(enough) => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => numbers(colour).slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if ((numbers(colour)[3] ?? 1) === 1) return colour;
    }
    return "rgb(0, 0, 0)";
  };
  const found = {};
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const one = walk.currentNode.parentElement, text = walk.currentNode.data.trim();
    if (!text || !one.checkVisibility() || one.closest("script, style")) continue;
    const style = getComputedStyle(one), ink = one instanceof SVGElement ? style.fill : style.color;
    const pair = [light(ink), light(behind(one))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < enough) found[`${ink} on ${behind(one)}: ${ratio.toFixed(2)}`] = text;
  }
  return found;
}"""


def faint(page: Page) -> dict[str, str]:
    """Colours that are too near to each other, each with a text in them."""
    return cast(dict[str, str], page.evaluate(_FAINT, ENOUGH))
