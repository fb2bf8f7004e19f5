"""`tinychat corpora`: what is bundled, and what is in one corpus."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from cli_runs import ANSWERS, FACTS, Outcome, assert_refused

from tinychat.corpus import bundled_corpora, load_corpus
from tinychat.presets import PRESETS
from tinychat.training.inspect_corpus import inspect_corpus
from tinychat.training.vocabulary import tokenizer_for
from tinychat.wording import counted

Call = Callable[..., Outcome]


def write_odd(folder: Path) -> Path:
    """A corpus with everything that is worth a remark."""
    folder.mkdir()
    facts = ["Rain falls.", "rain falls", "Snow melts.", "Wind " * 100]
    (folder / "pretraining.txt").write_text("\n".join(facts), encoding="utf-8")
    chat = (
        "User: What falls?\nUser: what falls\nAssistant: Rain.\n\n"
        "User: Who melts?\nAssistant: Snow.\n\nUser: who melts\nAssistant: Ice.\n\n"
        "User: Hello!\nAssistant: Hello!\nUser: What falls?\nAssistant: Rain.\n"
    )
    (folder / "chat.txt").write_text(chat, encoding="utf-8")
    (folder / "unknown.txt").write_text("User: Who sings?\nAssistant: No idea.\n", encoding="utf-8")
    held_out = "User: What falls then?\nAssistant: Rain.\n\nUser: Falls what?\nAssistant: Rain.\n"
    (folder / "heldout.txt").write_text(held_out, encoding="utf-8")
    return folder


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    return write_odd(tmp_path / "odd")


def figures(shown: Outcome) -> dict[str, str]:
    """The lines with a name in front."""
    assert (shown.code, shown.err) == (0, "")
    head = shown.out.split("\n\n")[0]
    return {line[:12].strip(): line[12:] for line in head.splitlines()}


# The list


@pytest.mark.parametrize("name", bundled_corpora())
def test_every_bundled_corpus_is_listed_with_its_folder(call: Call, name: str) -> None:
    corpus = load_corpus(name)
    [line] = [line for line in call("corpora").out.splitlines() if line.startswith(f"{name}:")]
    facts, dialogues = counted(len(corpus.facts), "fact"), counted(len(corpus.dialogues), "dialogue")
    assert line == f"{name}: {facts}, {dialogues}, in {bundled_corpora()[name]}"


# One corpus


def test_the_figures_of_a_corpus(call: Call, odd: Path) -> None:
    corpus = load_corpus(odd)
    found = figures(call("corpora", odd))
    tokenizer = tokenizer_for(corpus, "word")
    tokens = sum(len(tokenizer.encode(fact)) + 1 for fact in corpus.facts)
    tokens += sum(len(tokenizer.encode(str(turn))) + 1 for dialogue in corpus.dialogues for turn in dialogue)
    assert found["facts"] == "4"
    assert found["dialogues"] == "6 with 7 turns and 5 different answers"
    assert found["don't-know"] == "1 dialogue"
    assert found["held out"] == "2 dialogues, 2 with an unknown word"
    assert found["vocabulary"].startswith(f"{tokenizer.vocab_size} tokens (word), ")
    assert found["tokens"] == f"{tokens} in 10 rows"


def test_a_corpus_without_remarks(call: Call, corpus: Path) -> None:
    shown = call("corpora", corpus)
    assert figures(shown)["facts"] == str(len(FACTS))
    assert figures(shown)["dialogues"].startswith(f"{len(ANSWERS)} with {len(ANSWERS)} turns")
    for title in (
        "cut at the context",
        "facts that stand twice",
        "questions that stand twice with the same answer",
        "questions with several answers",
    ):
        assert f"{title}: none" in shown.out.splitlines()


def test_what_is_odd_is_shown(call: Call, odd: Path) -> None:
    lines = call("corpora", odd).out.splitlines()
    for title, text in (
        ("cut at the context: 1", "  Wind Wind"),
        ("facts that stand twice: 1", "  rain falls"),
        ("questions that stand twice with the same answer: 1", "  what falls"),
        ("questions with several answers: 1", "  who melts"),
    ):
        assert lines[lines.index(title) + 1].startswith(text)


def test_long_lists_are_cut_but_not_in_json(call: Call, corpus: Path) -> None:
    twice = [f"Cloud {number} rains." for number in range(8)] * 2
    (corpus / "pretraining.txt").write_text("\n".join(twice), encoding="utf-8")
    lines = call("corpora", corpus).out.splitlines()
    start = lines.index("facts that stand twice: 8")
    assert lines[start + 1 : start + 7] == [
        *(f"  cloud {number} rains" for number in range(5)),
        "  … and 3 more (all with --json)",
    ]
    [found] = call("corpora", corpus, "--json").records
    assert found["duplicate_facts"] == [f"cloud {number} rains" for number in range(8)]


def test_bars_are_as_long_as_they_are_many(call: Call, corpus: Path) -> None:
    facts = ["Rain falls now."] * 20 + ["Rain " * 10] * 5 + ["Rain " * 30]
    (corpus / "pretraining.txt").write_text("\n".join(facts), encoding="utf-8")
    (corpus / "chat.txt").unlink()
    lines = call("corpora", corpus).out.splitlines()
    start = lines.index("rows by length in tokens (context 80)") + 1
    bars = [line.split() for line in lines[start : start + 3]]
    assert [bar[0] for bar in bars] == ["1-8", "9-16", "25-32"]
    assert [(len(bar[1]), bar[2]) for bar in bars[:2]] == [(40, "20"), (10, "5")]
    assert (bars[2][1], bars[2][2]) == ("██", "1")


def test_what_is_beyond_the_context_is_marked(call: Call, odd: Path) -> None:
    marked = [line for line in call("corpora", odd).out.splitlines() if "beyond the context" in line]
    assert [line.split()[0] for line in marked] == ["97-104"]
    assert "beyond" not in call("corpora", odd, "--max-seq-len", "200").out


@pytest.mark.parametrize("name", bundled_corpora())
def test_a_bundled_corpus_by_name_as_json(call: Call, name: str) -> None:
    shown = call("corpora", name, "--json")
    assert (shown.code, shown.err) == (0, "")
    [found] = shown.records
    wanted = asdict(inspect_corpus(load_corpus(name), "word", 4096, 80))
    assert found == {**wanted, "lengths": [list(bar) for bar in wanted["lengths"]]}
    assert sum(count for _, _, count in found["lengths"]) == found["facts"] + found["dialogues"]
    assert found["contradictions"] == []


# Flags


@pytest.mark.parametrize("kind", ["word", "char", "bpe"])
def test_another_tokenizer(call: Call, corpus: Path, kind: str) -> None:
    [found] = call("corpora", corpus, "--tokenizer", kind, "--json").records
    tokenizer = tokenizer_for(load_corpus(corpus), kind)
    assert (found["tokenizer"], found["vocab_size"]) == (kind, tokenizer.vocab_size)
    assert figures(call("corpora", corpus, "--tokenizer", kind))["vocabulary"].startswith(
        f"{tokenizer.vocab_size} tokens ({kind})"
    )


def test_the_size_of_a_vocabulary(call: Call, corpus: Path) -> None:
    [found] = call("corpora", corpus, "--tokenizer", "bpe", "--vocab-size", "260", "--json").records
    assert found["vocab_size"] == 260


def test_another_context(call: Call, corpus: Path) -> None:
    """A row of n tokens needs n - 1 places: its last is only predicted."""
    tokenizer = tokenizer_for(load_corpus(corpus), "word")
    longest = max(len(tokenizer.encode(f"User: {q} Assistant: {a}")) + 1 for q, a in ANSWERS.items())
    for context, is_cut in ((longest - 1, False), (longest - 2, True)):
        [found] = call("corpora", corpus, "--max-seq-len", str(context), "--json").records
        assert (found["context"], found["cut"] != []) == (context, is_cut)


@pytest.mark.parametrize("place", ["before", "behind"])
@pytest.mark.parametrize("name", PRESETS)
def test_the_tokenizer_and_the_context_of_a_preset(call: Call, corpus: Path, name: str, place: str) -> None:
    words, flag = ["corpora", corpus, "--json"], ["--preset", name]
    [found] = call(*flag, *words).records if place == "before" else call(*words, *flag).records
    assert found["context"] == PRESETS[name].model_config(2).max_seq_len
    assert found["tokenizer"] == PRESETS[name].tokenizer


def test_other_flags_go_before_the_preset(call: Call, corpus: Path) -> None:
    flags = ("--preset", "modern", "--max-seq-len", "12", "--tokenizer", "char", "--json")
    [found] = call("corpora", corpus, *flags).records
    assert (found["context"], found["tokenizer"]) == (12, "char")


# Refusals


def test_no_such_corpus(call: Call) -> None:
    assert_refused(call("corpora", "none"), 2, "none", *bundled_corpora())


def test_an_empty_corpus(call: Call) -> None:
    Path("empty.txt").write_text("\n", encoding="utf-8")
    assert_refused(call("corpora", "empty.txt"), 2, "empty")


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--max-seq-len", "1"), "at least 2"),
        (("--max-seq-len", "x"), "--max-seq-len"),
        (("--tokenizer", "morse"), "bpe"),
        (("--tokenizer", "bpe", "--vocab-size", "3"), "257"),
        (("--vocab-size", "300"), "leave out vocab_size"),
        (("--preset", "baroque"), "classic"),
        (("--n-heads", "2"), "--n-heads"),
    ],
)
def test_flags_that_make_no_sense(call: Call, corpus: Path, flags: tuple[str, ...], told: str) -> None:
    assert_refused(call("corpora", corpus, *flags), 2, told)


@pytest.mark.parametrize(
    "flags",
    [("--preset", "modern"), ("--tokenizer", "bpe"), ("--vocab-size", "300"), ("--max-seq-len", "9")],
)
def test_without_a_name_nothing_is_counted(call: Call, flags: tuple[str, str]) -> None:
    assert_refused(call("corpora", *flags), 2, flags[0], "name it")
