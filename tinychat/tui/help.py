"""What the help dialog says."""

COMMON = """\
Ctrl+P           every command by name (themes, screenshot, …)
F2               light or dark
Ctrl+Q           quit; training is saved, and can be resumed\
"""

TRAINING = f"""\
A small transformer is learning in front of you: first from facts
(pre-training), then from dialogues (instruction tuning).

loss             how surprised it is by the next word, in nats
perplexity       e to the loss: it wavers between so many words
accuracy         how often its first guess is the next word
gradient         how hard an example pulls at the weights

Space            pause and go on
T                talk with a copy of the model while the training goes on
I                losses, gradients and updates by layer, as charts
C                stop here and chat with what there is
S                save a copy now

{COMMON}"""

CHAT = f"""\
Type a question and press Enter. The model writes the likeliest next
word, again and again, until it finds its answer complete.

Enter            send
Up, Down         what you sent before
Escape           stop the answer; close a panel
PgUp, PgDn       scroll
F3               how it speaks: temperature and other knobs
F4               inside: why it wrote each word (see below)
F5               tint words: the warmer, the less certain
F6               a map of the words, and the nearest ones of a word
F7               how the training went, layer by layer
Ctrl+R           answer the last question once more
Ctrl+E           edit the last question
Ctrl+N           teach the right answer; or type /teach and the answer
Ctrl+Z           take back what was taught last; or type /undo
Ctrl+G           go on with an answer that was stopped
Ctrl+Y           copy the last answer
F8               export the conversation
Ctrl+L           clear the conversation
Ctrl+S           save the model under a name
Ctrl+O           load another, or resume interrupted training
F9               beside a training: take a new copy of its model
Ctrl+T           go on training this model, or train a new one

Underlined words are new to the model: it cannot know what they mean.

Inside, ← and → walk along the answer, and 1 to 4 choose a view:
1 alternatives   the likeliest words at that place
2 attention      which words it looked at; ↑ and ↓ choose a head
3 heads          every head's whole map, rows look at columns
4 lens           what each layer would have said

{COMMON}"""
