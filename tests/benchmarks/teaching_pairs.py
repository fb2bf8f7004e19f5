"""Ten things that no corpus here tells, each with three rewordings that teaching must not learn."""

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
