"""Charts of a training: what they draw is what the history says."""

from pathlib import Path

import pytest
from textual.widgets import Static
from tiny_app import endless_run, until

from tinychat.training.run import TrainingRun
from tinychat.tui.app import TinychatApp
from tinychat.tui.screens.chat import ChatScreen
from tinychat.tui.screens.curves import CurvesScreen
from tinychat.tui.screens.training import TrainingScreen
from tinychat.tui.widgets.chart import Chart, Curve, shown
from tinychat.weights.saved_models import Library


@pytest.fixture
def app(library: Library, trained_run: TrainingRun) -> TinychatApp:
    return TinychatApp(library, model=trained_run.model, path=Path("weather.npz"))


def drawn(app: TinychatApp) -> str:
    return app.screen.query_one(Chart).render().plain


async def test_every_view_of_a_finished_training(app: TinychatApp, trained_run: TrainingRun) -> None:
    records = trained_run.model.card.progress["tune"].epochs
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f7")
        await until(pilot, lambda: isinstance(app.screen, CurvesScreen))
        assert "Instruction tuning · epoch 40 of 40 · log scale" in str(
            app.screen.query_one("#title", Static).content
        )
        assert f"epoch {shown(records[-1].loss)}" in drawn(app)
        assert f"smoothed {shown(records[-1].smoothed_loss or 0)}" in drawn(app)
        assert "held out" not in drawn(app)
        measured = [record for record in records if record.grad_norms][-1]
        for key, figures in (("2", measured.grad_norms), ("3", measured.update_ratios)):
            await pilot.press(key)
            await pilot.pause()
            for layer, value in figures.items():
                assert f"{layer.replace('_', '-')} {shown(value)}" in drawn(app)
        await pilot.press("4")
        await pilot.pause()
        assert "learning rate 0.01" in drawn(app)
        await pilot.press("right")
        await pilot.pause()
        assert "smoothed" in drawn(app)
        log = drawn(app)
        await pilot.press("l")
        assert drawn(app) != log
        assert "linear" in str(app.screen.query_one("#title", Static).content)
        await pilot.press("p")
        assert "Pre-training · epoch 3 of 3" in str(app.screen.query_one("#title", Static).content)
        await pilot.press("escape")
        assert isinstance(app.screen, ChatScreen)


async def test_it_grows_while_the_model_trains(library: Library) -> None:
    run = endless_run()
    app = TinychatApp(library, run=run)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: run.model.card.progress["tune"].epoch > 2)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, CurvesScreen))
        title = app.screen.query_one("#title", Static)
        before = str(title.content)
        await until(pilot, lambda: str(title.content) != before)
        await pilot.press("escape")
        assert isinstance(app.screen, TrainingScreen)


async def test_a_chart_has_axes_and_its_curves_go_where_they_should(app: TinychatApp) -> None:
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("f7")
        await until(pilot, lambda: isinstance(app.screen, CurvesScreen))
        chart = app.screen.query_one(Chart)
        chart.show([Curve("up", "$primary", [(1, 0.0), (5, 10.0)])], (1, 5), "x", False)
        lines = chart.render().plain.splitlines()
        assert lines[0].startswith("━ up 10")
        ticks = [line.split("┤")[0].strip() for line in lines if "┤" in line]
        assert ticks == sorted(ticks, key=float, reverse=True)
        assert {"0", "10"} & set(ticks)
        assert lines[-1].split() == ["x", "2", "4"]
        inside = [line[10:] for line in lines[1:-2]]
        assert inside[0].rstrip()[-1] != " "
        assert len(inside[0].rstrip()) > len(inside[-1].rstrip())  # high on the right, low on the left
        chart.show([Curve("up", "$primary", [(1, 0.0), (5, 10.0)])], (1, 5), "x", True)
        assert "up 10" in chart.render().plain  # the 0 has no logarithm
        for nothing in ([], [Curve("none", "", [(1, float("nan"))])]):
            chart.show(nothing, (1, 5), "x", False)
            assert "Nothing was measured" in chart.render().plain
        chart.show([Curve("flat", "", [(1, 0.0), (2, 0.0)])], (1, 2), "x", False)
        assert "━ flat 0" in chart.render().plain


@pytest.mark.parametrize("value", [0.0, 1e-9, 0.00123, 0.5, 12345.6, 1e7, -0.25, -1e-8])
def test_figures_fit_beside_the_axis(value: float) -> None:
    assert len(shown(value)) <= 8
    assert float(shown(value)) == pytest.approx(value, rel=0.5)
