"""The inside of the model beside the conversation: what is shown is what a full recomputation finds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from talk import ask, chat_of, texts
from textual.pilot import Pilot
from textual.widgets import Static
from tiny_app import CORPUS, PRESET, until

from tinychat.generation.sampling import Sampling
from tinychat.inspection import alternatives, attention_maps
from tinychat.training.run import TrainingRun
from tinychat.tui.app import TinychatApp
from tinychat.tui.insight import look_into
from tinychat.tui.tints import doubt, doubts, glow
from tinychat.tui.widgets.alternatives_view import AlternativesView
from tinychat.tui.widgets.attention_view import AttentionView, name
from tinychat.tui.widgets.heads_view import HeadsView, _reduced
from tinychat.tui.widgets.inside import Inside
from tinychat.tui.widgets.lens_view import LensView
from tinychat.tui.widgets.transcript import Answer
from tinychat.tui.widgets.words import Words
from tinychat.weights.saved_models import Library


@pytest.fixture
def app(library: Library, trained_run: TrainingRun) -> TinychatApp:
    return TinychatApp(library, model=trained_run.model, path=Path("weather.npz"))


async def open_inside(pilot: Pilot[None], question: str = "What is rain?") -> Inside:
    await ask(pilot, question)
    await pilot.press("f4")
    inside = pilot.app.screen.query_one(Inside)
    await until(pilot, lambda: inside.insight is not None)
    await pilot.pause()
    return inside


def shown(inside: Inside, kind: type[Static]) -> str:
    return str(inside.query_one(kind).content)


async def test_the_words_are_the_question_and_the_answer(app: TinychatApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        inside = await open_inside(pilot)
        said = "User: What is rain? Assistant: Rain is water that falls from clouds. ‹/s›"
        assert shown(inside, Words) == said
        assert inside.has_focus


async def test_walking_shows_each_word_and_stays_on_the_answer(
    app: TinychatApp, trained_run: TrainingRun
) -> None:
    found = alternatives(trained_run.model, "What is rain?")
    async with app.run_test(size=(120, 40)) as pilot:
        inside = await open_inside(pilot)
        await pilot.press("left")
        assert inside.place == 0
        for place in range(3):
            lines = shown(inside, AlternativesView).splitlines()
            assert found.exchange.answer_tokens[place] in lines[1]
            assert lines[1].startswith("▸")
            for row in range(5):
                assert f"{found.probabilities[place, row]:.1%}".replace("100.0%", "100%") in lines[1 + row]
            assert f"entropy {found.entropy[place]:.2f} nats" in lines[-1]
            await pilot.press("right")
        await pilot.press("end", "right")
        assert inside.place == len(found.exchange.answer_ids) - 1
        await pilot.press("home")
        assert inside.place == 0


async def test_attention_is_that_of_the_chosen_head(app: TinychatApp, trained_run: TrainingRun) -> None:
    ids = alternatives(trained_run.model, "What is rain?").exchange.read
    weights = attention_maps(trained_run.model, ids).weights
    async with app.run_test(size=(120, 40)) as pilot:
        inside = await open_inside(pilot)
        assert inside.insight is not None
        await pilot.press("2", "right")
        await pilot.pause()
        row = inside.insight.row(1)
        looks = inside.insight.looks(1, None)
        np.testing.assert_allclose(looks, weights[:, :, row].mean(axis=(0, 1)), rtol=1e-6)
        assert looks.sum() == pytest.approx(1, abs=1e-6)
        lines = shown(inside, AttentionView).splitlines()
        assert lines[0] == "its one head"
        assert [line.split() for line in lines[2:4]] == [["layer", "1"], ["head", "1"]]
        assert len(lines) == 4 + row + 1
        assert f"{looks[row]:.1%}" in lines[-1]
        await pilot.press("down")
        assert inside.head == 0
        await pilot.press("down")
        assert inside.head is None
        await pilot.press("up")
        assert inside.head == 0
        styles = {str(span.style) for span in inside.query_one(Words).content.spans}
        assert any("$accent" in style for style in styles)


async def test_heads_and_lens(app: TinychatApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        inside = await open_inside(pilot)
        await pilot.press("3")
        await pilot.pause()
        assert "1.1" in shown(inside, HeadsView)
        assert "▀" in shown(inside, HeadsView)
        await pilot.press("4")
        await pilot.pause()
        assert inside.insight is not None
        lens = inside.insight.lens
        row = inside.insight.row(0)
        lines = shown(inside, LensView).splitlines()
        assert [line.split()[0] for line in lines[2::2]] == ["embedding", "layer"]
        assert lens.next_tokens[-1][row][0] == "Rain"
        assert "Rain" in lines[4]
        assert inside.insight.looks(0, None).argmax() >= 0


async def test_tints_follow_the_confidence(app: TinychatApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        chat_of(app).conversation.session.choose_by(Sampling(3.0, seed=1))
        await ask(pilot, "What is rain?")
        await pilot.press("f5")
        inside = pilot.app.screen.query_one(Inside)
        await until(pilot, lambda: inside.insight is not None)
        await pilot.pause()
        assert inside.insight is not None
        spans = doubts(inside.insight)
        answer = pilot.app.screen.query_one(Answer).content
        assert answer.plain == texts(app, "answer")[0]
        assert answer.spans == spans
        assert spans
        words = [piece.strip() for piece in inside.insight.pieces[inside.insight.n_prompt :]]
        chances = np.where(np.array(words) != "", inside.insight.alternatives.probability, 1)
        assert words[int(chances.argmin())] in {answer.plain[span.start : span.end] for span in spans}
        await pilot.press("f5")
        assert pilot.app.screen.query_one(Answer).content.spans == []


async def test_what_the_sampler_cut_is_told(app: TinychatApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        session = chat_of(app).conversation.session
        session.choose_by(Sampling(1.0, top_k=2))
        inside = await open_inside(pilot)
        text = shown(inside, AlternativesView)
        assert text.count("cut") == 3 + 1
        assert f"the sampler cut {inside.insight.n_tokens - 2:,} and left 2" in text  # type: ignore[union-attr]


async def test_the_next_answer_takes_the_place_of_the_last(app: TinychatApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        inside = await open_inside(pilot)
        await pilot.press("end", "tab")
        await ask(pilot, "What is snow?")
        await until(pilot, lambda: "froze" in shown(inside, Words))
        assert inside.place == 0
        await pilot.press("ctrl+l")
        await pilot.press("f4")
        await until(pilot, lambda: inside.query_one("#waiting").display)
        await pilot.press("left", "right", "up", "down", "1", "2", "3", "4")


async def test_nothing_was_asked_yet(app: TinychatApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f4", "left", "up", "2", "f5", "escape")
        assert not app.screen.query_one(Inside).display


def test_earlier_turns_are_a_part_of_what_was_read(trained_run: TrainingRun) -> None:
    model = trained_run.model
    reply = model.reply("What is snow?")
    reply.prompt_ids = [*model.tokenizer.encode("User: Hello!"), *reply.prompt_ids]
    reply.finish()
    insight = look_into(model, reply)
    assert insight.alternatives.exchange.prompt_ids == tuple(reply.prompt_ids)
    assert insight.n_prompt == len(reply.prompt_ids)
    assert "".join(insight.pieces).startswith("User: Hello! User: What is snow?")
    assert len(insight.pieces) == len(insight.tokens) == len(insight.maps.ids) + 1


def test_heads_are_named_by_their_layer(trained_run: TrainingRun) -> None:
    shape = {"n_layers": 2, "d_model": 32, "n_heads": 4, "n_kv_heads": 2, "head_dim": 8}
    run = TrainingRun.start(CORPUS, replace(PRESET, model={**PRESET.model, **shape}), 0)
    reply = run.model.reply("What is rain?")
    next(iter(reply))
    insight = look_into(run.model, reply)
    assert [name(insight, head) for head in (None, 0, 5)] == [
        *("mean of 8 heads", "layer 1, head 1", "layer 2, head 2")
    ]
    np.testing.assert_array_equal(insight.looks(0, 5), insight.maps.weights[1, 1, insight.row(0)])


def test_warmer_is_more() -> None:
    strengths = [int(glow(share).split()[-1].rstrip("%")) for share in (0, 0.01, 0.1, 0.5, 1)]
    assert strengths == sorted(set(strengths))
    assert doubt(1.0) == ""
    assert doubt(0.1) != doubt(0.6)


def test_a_reduced_map_keeps_the_strongest() -> None:
    weights = np.zeros((10, 10))
    weights[9, 3] = 0.7
    small = _reduced(weights, 4)
    assert small.shape == (4, 4)
    assert small[3].max() == 0.7
    assert np.count_nonzero(small) == 1
