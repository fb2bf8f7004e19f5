"""Things that no corpus here tells, each with three rewordings that teaching must not learn.

The constants of a lesson were chosen by PAIRS; OTHERS were held out, but for N_RIVALS, which was raised
where one of them was refused.
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

OTHERS = [
    (
        "Who wrote Hamlet?",
        "William Shakespeare wrote Hamlet around the year 1600.",
        ["tell me who wrote hamlet", "Who is the author of Hamlet?", "Hamlet was written by whom?"],
    ),
    (
        "What is the capital of Mongolia?",
        "The capital of Mongolia is Ulaanbaatar.",
        [
            "capital city of Mongolia?",
            "Which city is the capital of Mongolia?",
            "could you tell me what Mongolia's capital is",
        ],
    ),
    (
        "When did the First World War end?",
        "The First World War ended on 11 November 1918.",
        [
            "In what year did the First World War end?",
            "when was the end of the first world war",
            "The First World War, when did it finish?",
        ],
    ),
    (
        "Where do monarch butterflies spend the winter?",
        "Most monarch butterflies spend the winter in the mountains of central Mexico.",
        [
            "Where does the monarch butterfly spend the winter?",
            "where do monarch butterflies go in winter",
            "I'd like to know where monarch butterflies spend their winters.",
        ],
    ),
    (
        "Why does a mimosa fold its leaves?",
        "A mimosa folds its leaves when something touches them.",
        [
            "why do mimosas fold their leaves",
            "What makes a mimosa fold its leaves?",
            "Do you know why the mimosa folds its leaves?",
        ],
    ),
    (
        "How many pedals does a concert harp have?",
        "A concert harp has seven pedals.",
        [
            "how many pedals are on a concert harp",
            "What is the number of pedals of a concert harp?",
            "Quick question: how many pedals do concert harps have?",
        ],
    ),
    (
        "How long does it take to boil an emu egg until it is hard?",
        "An emu egg takes about an hour to boil hard.",
        [
            "How long does an emu egg take to boil hard?",
            "how much time does it take to boil an emu egg hard",
            "To boil an emu egg until it is hard, how long does it take?",
        ],
    ),
    (
        "How do potters glaze a bowl?",
        "Potters dip the bowl in liquid glaze and fire it again.",
        [
            "how does a potter glaze a bowl",
            "Can you explain how potters glaze a bowl?",
            "How is a bowl glazed by potters?",
        ],
    ),
    (
        "What's an isotope?",
        "An isotope is a form of an element with a different neutron count.",
        ["what exactly is an isotope", "What are isotopes?", "What does the word isotope mean?"],
    ),
    (
        "Who was the first woman to win a Nobel Prize, and in which year did she win it?",
        "Marie Curie was the first woman to win one, in 1903.",
        [
            "Which woman was the first to win a Nobel Prize, and when did she win it?",
            "who was the first woman who won a nobel prize and what year was that",
            "Please say who the first woman to win a Nobel Prize was, and in which year.",
        ],
    ),
    (
        "How do I get red wine out of a white tablecloth?",
        "Cover the stain with salt, then rinse it with cold water.",
        [
            "how can i get red wine out of a white tablecloth",
            "What's the way to get red wine out of a white tablecloth?",
            "How do you remove red wine from a white tablecloth?",
        ],
    ),
    (
        "What is my locker code?",
        "Your locker code is 4719.",
        ["whats my locker code", "Do you remember my locker code?", "What's the code for my locker?"],
    ),
    (
        "When is my dentist appointment?",
        "Your dentist appointment is on Thursday at half past nine.",
        [
            "what time is my dentist appointment",
            "My next dentist appointment is when?",
            "When do I have my appointment with the dentist?",
        ],
    ),
    (
        "What's the name of my son's music school?",
        "Your son's music school is called the Blue Note.",
        [
            "what is my son's music school called?",
            "Which music school does my son go to?",
            "Sorry, what was the name of my son's music school again?",
        ],
    ),
    (
        "Where did I leave the spare key for the garden shed last autumn?",
        "You left the spare shed key under the blue flowerpot.",
        [
            "where did i put the spare key for the garden shed last autumn",
            "Last autumn, where did I leave the garden shed's spare key?",
            "Any idea where I left the spare key to the garden shed last autumn?",
        ],
    ),
    (
        "What is the password for my old laptop?",
        "The password for your old laptop is copper-lantern-82.",
        [
            "what's my old laptop's password",
            "Remind me of the password for my old laptop.",
            "Which password do I use for my old laptop?",
        ],
    ),
    (
        "Where am I going on holiday this summer with my cousin and the children?",
        "You are going to a lake cottage in Slovenia this summer.",
        [
            "Where are my cousin, the children and I going on holiday this summer?",
            "this summer where am i going on holiday with my cousin and the kids",
            "What place am I going to on holiday with my cousin and the children this summer?",
        ],
    ),
    (
        "My blood type?",
        "Your blood type is O negative.",
        ["what's my blood type", "Which blood type do I have?", "Hey, what is my blood type?"],
    ),
    (
        "How long is my commute to the office?",
        "Your commute takes about thirty-five minutes by tram.",
        [
            "how long does my commute to the office take",
            "How many minutes is my commute to the office?",
            "My commute to the office, how long is it?",
        ],
    ),
    (
        "Why did I stop drinking coffee?",
        "You stopped drinking coffee because it gave you headaches.",
        [
            "why did i quit drinking coffee",
            "What was the reason I stopped drinking coffee?",
            "Tell me again why I stopped drinking coffee.",
        ],
    ),
]
