"""The training screen: the model's card, a panel a phase, and what the model says now."""

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Horizontal
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Footer, Static

from tinychat.presets import PHASE_TITLES, PRETRAIN, TUNE
from tinychat.tui import help as help_texts
from tinychat.tui.keys import that_fit
from tinychat.tui.messages import TrainingNews
from tinychat.tui.widgets.phase_panel import PhasePanel
from tinychat.tui.widgets.samples import Samples
from tinychat.wording import counted

if TYPE_CHECKING:
    from tinychat.model import Model
    from tinychat.tui.job import TrainingJob

_OF_A_JOB = ("pause", "chat", "copy_model", "curves", "save")
"""Actions that there must be one for."""


class TrainingScreen(Screen[None]):
    """Watches a TrainingJob. The app gets the job's news and passes them on.

    It can be shown before there is one: it is the program's first frame.
    """

    GUIDE = help_texts.TRAINING
    CSS_PATH = "training.tcss"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-narrow"),
        (72, "-normal"),
        (130, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (22, "-tall"), (34, "-roomy")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "Pause", id="training.pause", tooltip="Pause or go on: hold the training"),
        Binding("c", "chat", "Chat now", id="training.chat", tooltip="Chat now: stop the training and chat"),
        Binding(
            "t",
            "app.copy_model",
            "Talk",
            id="training.talk",
            tooltip="Talk meanwhile: with a copy of the model; the training goes on",
        ),
        Binding(
            "i",
            "app.curves",
            "Inside",
            id="training.curves",
            tooltip="Inside the training: losses, gradients and updates as charts",
        ),
        Binding(
            "s,ctrl+s",
            "app.save",
            "Save",
            key_display="s",
            id="training.save",
            tooltip="Save the model: a copy, under a name",
        ),
        Binding("question_mark,f1", "app.help", "Help", key_display="?", id="training.help"),
        Binding("q", "app.quit", "Quit", show=False, id="training.quit"),
    ]

    def __init__(self, job: "TrainingJob | None" = None) -> None:
        super().__init__()
        self.job = job
        self._panels = {
            phase: PhasePanel(number, PHASE_TITLES[phase])
            for number, phase in enumerate((PRETRAIN, TUNE), start=1)
        }

    def fit(self, size: Size) -> None:
        """Take the classes for a terminal of this size, which Textual gives after the first frame only, to
        style all and to lay it out a second time."""
        for breakpoints, cells in (
            (self.HORIZONTAL_BREAKPOINTS, size.width),
            (self.VERTICAL_BREAKPOINTS, size.height),
        ):
            self.add_class([name for least, name in breakpoints if cells >= least][-1], update=False)

    def compose(self) -> ComposeResult:
        yield Static("tinychat · getting ready", id="title", markup=False)
        yield Static(id="card", markup=False)
        with Horizontal(id="phases"):
            yield from self._panels.values()
        yield Samples()
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        if self.job is not None:
            self.begin(self.job)

    def begin(self, job: "TrainingJob") -> None:
        """Show the model and what is known of its training."""
        self.job = job
        if not self.query("#card"):  # on a busy machine it may have no parts yet: it begins with them
            return
        card = job.model.card
        self.query_one("#card", Static).update(describe(job.model), layout=False)
        for phase, panel in self._panels.items():
            progress = card.progress.get(phase)
            panel.open(card.configs.get(phase), progress.epochs if progress else [])
        self._show_state("training")
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing yet are dim."""
        return None if self.job is None and action in _OF_A_JOB else True

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """On a narrow screen the footer shows fewer keys."""
        return that_fit(super().active_bindings, self.size.width, self.app.get_key_display)

    def on_resize(self) -> None:
        self.refresh_bindings()

    def action_pause(self) -> None:
        if self.job is None:
            return
        self.job.toggle_pause()
        self._show_state("paused: press space to go on" if self.job.is_paused else "training")

    def action_chat(self) -> None:
        """Stop here; the app opens the chat once the job has ended."""
        if self.job is not None:
            self._show_state("stopping")
            self.job.stop()

    def _show_state(self, state: str) -> None:
        title = self.query_one("#title", Static)
        title.update(f"tinychat · {state}", layout=False)
        # Not of the screen, all parts of which would be styled anew before one sees what the key did.
        title.set_class(self.job is not None and self.job.is_paused, "paused")

    @on(TrainingNews)
    def show(self, news: TrainingNews) -> None:
        """Bring one event of the run onto the screen."""
        from tinychat.training.events import EpochDone, PhaseDone, PhaseStarted, SampleDrawn, StepDone

        match news.event:
            case PhaseStarted(phase=phase):
                self._panels[phase].start()
            case StepDone(phase=phase) as step:
                self._panels[phase].show_step(step)
            case EpochDone(phase=phase) as record:
                self._panels[phase].add_epoch(record)
            case PhaseDone(phase=phase):
                self._panels[phase].finish()
            case SampleDrawn() as sample:
                self.query_one(Samples).add(sample)


def describe(model: "Model") -> str:
    """The model's card in two lines: its shape, and where it comes from."""
    config, card = model.config, model.card
    return (
        f"{counted(model.n_parameters, 'parameter')} · {counted(config.n_layers, 'layer')} · "
        f"width {config.d_model} · {counted(config.n_heads, 'head')} · context {config.max_seq_len}\n"
        f"{card.corpus}: {counted(card.n_facts, 'fact')}, {counted(card.n_dialogues, 'dialogue')} · "
        f"vocabulary {config.vocab_size} · {card.preset} · seed {card.seed}"
    )
