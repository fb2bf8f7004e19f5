"""Things that no corpus here tells, each with three rewordings that teaching must not learn.

The constants of a lesson were chosen by PAIRS; OTHERS were held out.
"""

PAIRS = [
    (
        "Who invented the telephone?",
        "Alexander Graham Bell patented the telephone in 1876.",
        [
            "please tell me who invented the telephone",
            "Do you know who invented the telephone?",
            "Who was the inventor of the telephone?",
        ],
    ),
    (
        "What is the capital of Peru?",
        "The capital of Peru is Lima.",
        [
            "peru has which capital",
            "Which city is the capital of Peru?",
            "please tell me the capital of Peru",
        ],
    ),
    (
        "How many strings does a violin have?",
        "A violin has four strings.",
        [
            "how many strings are on a violin",
            "Can you tell me how many strings a violin has?",
            "What number of strings does a violin have?",
        ],
    ),
    (
        "Who painted the Mona Lisa?",
        "Leonardo da Vinci painted the Mona Lisa.",
        [
            "Please tell me who painted the Mona Lisa.",
            "the mona lisa was painted by whom",
            "Which artist painted the Mona Lisa?",
        ],
    ),
    (
        "What do pandas eat?",
        "Pandas eat almost nothing but bamboo.",
        [
            "what does a panda eat, pandas I mean",
            "Please tell me what pandas eat.",
            "what food do pandas eat",
        ],
    ),
    (
        "When did the Titanic sink?",
        "The Titanic sank in April 1912.",
        [
            "In which year did the Titanic sink?",
            "please tell me when the titanic did sink",
            "what was the date when the Titanic went down",
        ],
    ),
    (
        "What is the name of my dog?",
        "Your dog is called Bruno.",
        ["please tell me the name of my dog", "what's my dog's name", "How is my dog called?"],
    ),
    (
        "Why do cats purr?",
        "Cats purr when they are content, and sometimes to calm themselves.",
        ["why does a cat purr", "Please tell me why cats purr.", "What makes cats purr?"],
    ),
    (
        "How tall is the Eiffel Tower?",
        "The Eiffel Tower is 330 metres tall.",
        [
            "what is the height of the eiffel tower",
            "please tell me how tall the Eiffel Tower is",
            "How high is the Eiffel Tower?",
        ],
    ),
    (
        "Where does our school trip go this year?",
        "This year our school trip goes to the lake.",
        [
            "where is our school trip going this year",
            "Please tell me where our school trip goes this year.",
            "What is the goal of our school trip?",
        ],
    ),
]

OTHERS = [
    (
        "Who wrote Don Quixote?",
        "Miguel de Cervantes wrote Don Quixote.",
        [
            "please tell me who wrote Don Quixote",
            "Which author wrote Don Quixote?",
            "Don Quixote was written by whom?",
        ],
    ),
    (
        "What is the currency of Poland?",
        "The currency of Poland is the zloty.",
        [
            "Which currency does Poland have?",
            "please tell me the currency of Poland",
            "what currency is used in poland",
        ],
    ),
    (
        "How long is a marathon?",
        "A marathon is about 42 kilometres long.",
        [
            "Can you tell me how long a marathon is?",
            "what is the length of a marathon",
            "How many kilometres is a marathon?",
        ],
    ),
    (
        "When did the Berlin Wall fall?",
        "The Berlin Wall fell in November 1989.",
        [
            "In which year did the Berlin Wall fall?",
            "please tell me when the berlin wall fell",
            "What was the date when the Berlin Wall came down?",
        ],
    ),
    (
        "What colour is our front door?",
        "Our front door is painted green.",
        [
            "please tell me the colour of our front door",
            "Which colour does our front door have?",
            "our front door is what colour",
        ],
    ),
    (
        "Where does my sister work?",
        "Your sister works in a bakery near the station.",
        [
            "Please tell me where my sister works.",
            "what is the place where my sister works",
            "where is my sister working",
        ],
    ),
    (
        "Why do flamingos look pink?",
        "Flamingos look pink because of the shrimp that they eat.",
        [
            "Please tell me why flamingos look pink.",
            "What makes flamingos look pink?",
            "why is a flamingo pink",
        ],
    ),
    (
        "How do you say thank you in Polish?",
        "In Polish thank you is dziekuje.",
        [
            "please tell me how to say thank you in Polish",
            "what is thank you in polish",
            "How is thank you said in Polish?",
        ],
    ),
    (
        "What is the password of our guest network?",
        "The password of our guest network is tulip.",
        [
            "which password does our guest network have",
            "Please tell me the password of our guest network.",
            "our guest network has what password",
        ],
    ),
    (
        "Who feeds the hamster on Sundays?",
        "On Sundays my grandfather feeds the hamster.",
        [
            "Please tell me who feeds the hamster on Sundays.",
            "on sundays the hamster is fed by whom",
            "Which person feeds the hamster on Sundays?",
        ],
    ),
]
