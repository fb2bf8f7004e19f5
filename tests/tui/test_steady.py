"""What a text that changes in its place costs the screen around it."""

import pytest
from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import Static

from tinychat.tui.widgets import steady


class Page(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("one line", markup=False)


@pytest.mark.parametrize(
    ("text", "is_laid_out"),
    [
        ("another", False),
        ("words that fill one line and more", True),
        ("one\ntwo", True),
        ("[b]no markup", False),
    ],
)
async def test_only_another_number_of_lines_is_laid_out(
    monkeypatch: pytest.MonkeyPatch, text: str, is_laid_out: bool
) -> None:
    app = Page()
    async with app.run_test(size=(20, 5)) as pilot:
        widget = app.query_one(Static)
        asked = []
        update = widget.update

        def noted(content: Content, *, layout: bool) -> None:
            asked.append(layout)
            update(content, layout=layout)

        monkeypatch.setattr(widget, "update", noted)
        steady.show(widget, Content(text))
        await pilot.pause()
        assert asked == [is_laid_out]
        assert str(widget.render()) == text
        assert widget.size.height == Content(text).get_height({}, 20)
