"""What the help dialog says of each screen: every key of it is there, and every command without a key."""

COMMON = """\
F1, ?            this help
Ctrl+P           every command by name; only there: Theme, Screenshot,
                 Keys, Maximize and Minimize
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
S, Ctrl+S        save a copy now
Q                quit

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
Ctrl+N           teach the right answer; or type /teach and the answer
Ctrl+Z           take back what was taught last; or type /undo
Ctrl+R           answer the last question once more
Ctrl+E           edit the last question
Ctrl+G           go on with an answer that was stopped
Ctrl+Y           copy the last answer
F8               export the conversation
Ctrl+L           clear the conversation
Ctrl+S           save the model under a name
Ctrl+O           load another, or resume interrupted training
F9               beside a training: take a new copy of its model
Ctrl+T           go on training this model, or train a new one

Underlined words are new to the model: it cannot know what they mean.
What it was taught is kept in its file. Among the commands by name,
"Export what was taught" writes it as a corpus.

How it speaks: Up and Down choose a knob, ← and → turn it, Home sets it
back. Inside, ← and → walk along the answer, Home and End to its ends,
and 1 to 4 choose a view:
1 alternatives   the likeliest words at that place
2 attention      which words it looked at; Up and Down choose a head
3 heads          every head's whole map, rows look at columns
4 lens           what each layer would have said

{COMMON}"""

CURVES = f"""\
How the training went, epoch by epoch.

1 loss           of each epoch, smoothed, and of what is held out
2 gradients      how hard each layer was pulled at
3 updates        how far each layer moved, as a share of its size
4 learning rate  how far it was let move

←, →             the next view
P                the other phase
L                linear or logarithmic
Escape, Q        back

{COMMON}"""

WORD_MAP = f"""\
All words that the model knows, as near to each other as can be seen
in two dimensions: words that were used alike lie near each other.
A small corpus uses most words too seldom for that; world shows it.

Enter            the nearest words of the one that was typed
Ctrl+L           all words again
Escape           back

{COMMON}"""
