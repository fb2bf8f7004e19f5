"""The map of the model's words, and the nearest ones of a word."""

import asyncio
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from tinychat.drawing.text import token
from tinychat.errors import UsageError
from tinychat.inspection import EmbeddingMap, Neighbours, embedding_map, nearest_words
from tinychat.model import Model
from tinychat.tui import help as help_texts
from tinychat.tui.widgets.field import Field

_N_NEAREST = 12
_BAR = 10
_NAME = 14


class WordMapScreen(Screen[None]):
    """Type a word and press Enter; without one, the map has as many names as fit."""

    GUIDE = help_texts.WORD_MAP
    CSS_PATH = "word_map.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (72, "-normal")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back", id="map.back"),
        Binding("f1", "app.help", "Help", id="map.help"),
        Binding("ctrl+l", "forget", "All words", id="map.forget"),
    ]

    def __init__(self, model: Model) -> None:
        super().__init__()
        self._model = replace(model)  # with the words that it has now: it may be taught meanwhile
        self._found: EmbeddingMap | None = None
        self._field = Field()

    def compose(self) -> ComposeResult:
        yield Static("The map of words", id="title", markup=False)
        with Horizontal(id="halves"):
            yield self._field
            with VerticalScroll(id="beside", can_focus=False):
                yield Static(id="near", markup=False)
        yield Input(placeholder="A word, to see the nearest ones", compact=True)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self._find()

    @work
    async def _find(self) -> None:
        found = self._found = await asyncio.to_thread(embedding_map, self._model)
        across, up = found.explained
        self.query_one("#title", Static).update(
            f"{len(found.tokens):,} words · {across:.0%} of the variance across, {up:.0%} up and down"
        )
        self._show(None)

    def _show(self, near: Neighbours | None) -> None:
        if self._found is not None:
            self._field.show(self._found, near)
        self.query_one("#beside").display = near is not None
        if near is None:
            return
        parts: list[tuple[str, str]] = [(f"nearest to {token(near.token)}\n", "$accent")]
        for text, similarity in zip(near.tokens, near.similarity.tolist(), strict=True):
            label = Content(token(text)).truncate(_NAME, ellipsis=True, pad=True).plain
            length = round(_BAR * max(0.0, similarity))
            parts += [(f"\n{label} {similarity:5.2f} ", ""), ("━" * length, "$primary")]
        self.query_one("#near", Static).update(Content.assemble(*parts))

    @on(Input.Submitted)
    def look_up(self, event: Input.Submitted) -> None:
        if not event.value.strip():
            self._show(None)
            return
        n = min(_N_NEAREST, self._model.config.vocab_size - 1)
        try:
            self._show(nearest_words(self._model, event.value, n))
        except UsageError as error:
            self._show(None)
            self.query_one("#beside").display = True
            self.query_one("#near", Static).update(Content.styled(str(error), "$warning"))
        event.input.select_all()

    def action_forget(self) -> None:
        self.query_one(Input).value = ""
        self._show(None)
