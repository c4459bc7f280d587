"""A patient at the doctor's: what was said so far, and the pages that show it."""

import os
from collections import deque
from html import escape

from common.doctor.eliza import LONGEST_TEXT, Conversation
from common.doctor.rules import read
from common.page import one_line

RULES = read(os.path.join(os.path.dirname(os.path.realpath(__file__)), "rules.json"))
LONGEST_TALK = 200  # sentences that are shown; older ones are gone
FORM = """<form method="post" action="{here}">
<label for="say">Tell the doctor</label>
<input id="say" name="say" maxlength="{longest}" autocomplete="off" required autofocus>
<button>Say</button>
<button name="leave" value="yes" formnovalidate>Goodbye</button>
</form>
<p>The doctor waits {wait} seconds for your next word, and then forgets you.</p>"""


class Consultation:
    """One patient's conversation with Eliza."""

    def __init__(self) -> None:
        self._eliza = Conversation(RULES)
        self._lines = deque([("Doctor", self._eliza.begin())], LONGEST_TALK)

    @property
    def is_over(self) -> bool:
        """Whether goodbye was said."""
        return self._eliza.is_over

    def take(self, fields: dict[str, str]) -> None:
        """Take the form: something to say, or the Goodbye button."""
        text = one_line(fields.get("say", "")[:LONGEST_TEXT])
        if "leave" in fields:
            self._say(text or "Goodbye.", self._eliza.end())
        elif text:
            self._say(text, self._eliza.answer(text))

    def page(self, here: str) -> str:
        """The conversation and the form (HTML), which goes to the URL path `here`."""
        wait = escape(os.environ["HTSESSION_TIMEOUT"])
        return f"{self.talk()}\n{FORM.format(here=escape(here), longest=LONGEST_TEXT, wait=wait)}"

    def talk(self) -> str:
        """The conversation (HTML), newest last."""
        items = "\n".join(f"<li><b>{who}</b> {escape(text)}</li>" for who, text in self._lines)
        return f'<ol class="talk" aria-label="The conversation">\n{items}\n</ol>'

    def _say(self, text: str, reply: str) -> None:
        self._lines += [("You", text), ("Doctor", reply)]
