"""The inside of the model beside the conversation: why it wrote what it wrote, word by word."""

import asyncio
from collections.abc import Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import ContentSwitcher, Static, Tab, Tabs

from tinychat.generation.reply import Reply
from tinychat.model import Model
from tinychat.tui.insight import Insight, look_into
from tinychat.tui.tints import doubt, glow
from tinychat.tui.widgets.alternatives_view import AlternativesView
from tinychat.tui.widgets.attention_view import AttentionView
from tinychat.tui.widgets.heads_view import HeadsView
from tinychat.tui.widgets.lens_view import LensView
from tinychat.tui.widgets.words import Words

_VIEWS = {
    "alternatives": "1 Alternatives",
    "attention": "2 Attention",
    "heads": "3 Heads",
    "lens": "4 Lens",
}
_WAITING = "Once a question is answered, walk along the answer with ← and →."


class Inside(Vertical, can_focus=True):
    """Words above, and one of four views of the word under the cursor below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "walk(-1)", "Word", key_display="←→", id="inside.left"),
        Binding("right", "walk(1)", "Next word", show=False, id="inside.right"),
        Binding("home", "walk(-100000)", "First word", show=False, id="inside.first"),
        Binding("end", "walk(100000)", "Last word", show=False, id="inside.last"),
        Binding("up", "head(-1)", "Head", key_display="↑↓", id="inside.up"),
        Binding("down", "head(1)", "Next head", show=False, id="inside.down"),
        *(
            Binding(str(number), f"view('{view}')", title[2:], show=False, id=f"inside.{view}")
            for number, (view, title) in enumerate(_VIEWS.items(), start=1)
        ),
        Binding("pageup", "scroll_view(-1)", "Page up", show=False, id="inside.pageup"),
        Binding("pagedown", "scroll_view(1)", "Page down", show=False, id="inside.pagedown"),
    ]

    class Found(Message):
        """`insight` is there, of the reply that was asked about."""

    def __init__(self) -> None:
        super().__init__(id="inside", classes="panel")
        self.border_title = "Inside"
        self.border_subtitle = "←→ word · 1 to 4 view · ↑↓ head"
        self.insight: Insight | None = None
        self.place = 0
        """Of the answer's tokens, that under the cursor."""
        self.head: int | None = None
        """Of all layers' heads; None for their mean."""
        self.is_tinted = False
        self._words = Words()
        self._tabs = Tabs(*(Tab(title, id=f"tab-{view}") for view, title in _VIEWS.items()))
        self._tabs.can_focus = False
        self._alternatives, self._attention = AlternativesView(), AttentionView()
        self._heads, self._lens = HeadsView(), LensView()

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="reading", can_focus=False):
            yield self._words
        yield self._tabs
        yield Static(_WAITING, id="waiting", markup=False)
        with ContentSwitcher(initial="alternatives", id="views"):
            for view, widget in zip(
                _VIEWS, (self._alternatives, self._attention, self._heads, self._lens), strict=True
            ):
                with VerticalScroll(id=view, can_focus=False):
                    yield widget

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._show())
        self._show()

    def on_resize(self) -> None:
        self._show()

    def enter(self) -> None:
        self.focus()
        self.call_after_refresh(self._show)  # once it has a width

    @work(exclusive=True)
    async def look(self, model: Model, reply: Reply | None) -> None:
        """Look into a reply, in a thread; into none, forget the last."""
        self.insight = None
        if reply is not None and reply.ids:
            self.insight = await asyncio.to_thread(look_into, model, reply)
            self.place = 0
            n_layers, n_heads = self.insight.maps.weights.shape[:2]
            if self.head is not None and self.head >= n_layers * n_heads:
                self.head = None
        self._show()
        self.post_message(self.Found())

    def tint(self, on: bool) -> None:
        """Show the model's confidence in the words."""
        self.is_tinted = on
        self._show()

    @property
    def view(self) -> str:
        return self.query_one(ContentSwitcher).current or "alternatives"

    def _show(self) -> None:
        insight, view = self.insight, self.view
        for part in (self._words, self._tabs, self.query_one(ContentSwitcher)):
            part.display = insight is not None
        self.query_one("#waiting").display = insight is None
        if insight is None:
            return
        self._words.show(insight, self.place, self._tint_of(insight))
        width = max(20, self.query_one(ContentSwitcher).size.width - 3)  # less the margins and a scroll bar
        match view:
            case "alternatives":
                self._alternatives.show(insight, self.place)
            case "attention":
                self._attention.show(insight, self.place, self.head, width)
            case "heads":
                self._heads.show(insight, self.head, width)
            case _:
                self._lens.show(insight, self.place)

    def _tint_of(self, insight: Insight) -> Callable[[int], str]:
        """Where one looks at attention, what is looked at; otherwise doubts, if they are wanted."""
        if self.view in ("attention", "heads"):
            looks = insight.looks(self.place, self.head)
            return lambda index: (
                glow(float(looks[index])) if index < len(looks) and looks[index] > 0.01 else ""
            )
        n_prompt, chances = insight.n_prompt, insight.alternatives.probability
        return lambda index: (
            doubt(float(chances[index - n_prompt])) if self.is_tinted and index >= n_prompt else ""
        )

    def action_walk(self, by: int) -> None:
        if self.insight is not None:
            self.place = max(0, min(self.place + by, self.insight.n_answer - 1))
            self._show()

    def action_head(self, by: int) -> None:
        """The mean of all comes before the first head, and behind the last."""
        if self.insight is None:
            return
        n_layers, n_heads = self.insight.maps.weights.shape[:2]
        number = (0 if self.head is None else self.head + 1) + by
        number %= n_layers * n_heads + 1
        self.head = number - 1 if number else None
        self._show()

    def action_view(self, view: str) -> None:
        self._tabs.active = f"tab-{view}"

    @on(Tabs.TabActivated)
    def switch(self, event: Tabs.TabActivated) -> None:
        event.stop()
        self.query_one(ContentSwitcher).current = (event.tab.id or "").removeprefix("tab-")
        self.call_after_refresh(self._show)  # once the view has a width

    def action_scroll_view(self, direction: int) -> None:
        view = self.query_one(f"#{self.view}", VerticalScroll)
        view.scroll_relative(y=direction * max(1, view.size.height - 2), animate=False)
