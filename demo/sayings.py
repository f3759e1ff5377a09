"""What the people of the sample organisation say to each other on the way."""

QUESTIONS = (
    (
        "Which data does it read, and who agreed to that use?",
        "Two years of closed cases from the archive. The data owner agreed in writing.",
    ),
    (
        "What happens when it is wrong, and who notices?",
        "A clerk sees every suggestion before it counts. Wrong ones are marked with one click.",
    ),
    (
        "How will you know that the KPI moved because of it?",
        "Two teams start a month later than the others; we compare them.",
    ),
    (
        "Does anything leave our own network?",
        "No. The model runs in our data centre, and the logs stay there as well.",
    ),
    (
        "Who keeps it running once the project team has gone?",
        "The platform team. It is in their plan for next year, with half a position.",
    ),
    (
        "Have the people whose work changes been asked?",
        "Four of them test it since last week. The works council has the description.",
    ),
    (
        "Which languages has it been tried in?",
        "German, French and English. For Italian we have too few examples and leave it out.",
    ),
)
"""Questions of those who decide, with the builders' answers."""

SENT_BACK = (
    "It does worse on short texts than on long ones. Measure both, and say what you accept.",
    "The test set overlaps with what it was trained on. Please split by year and repeat.",
    "Nothing shows what a clerk sees when the model is unsure. Build that in.",
    "The fallback was not tested. Switch the service off once and show that work goes on.",
)
DECLINED = (
    "The same is bought with the new claims platform in spring; building it twice helps nobody.",
    "Nobody could say who would use the result. Come back with a team that waits for it.",
    "The expected value does not cover the yearly cost, even at the best estimate.",
    "There is too little data, and no way to get more within a year.",
)
WITHDRAWN = (
    "The department has other priorities this year.",
    "A simple rule does it as well; we built that instead.",
    "The vendor now ships the feature.",
    "Our sponsor has left, and nobody took it over.",
)
PARKED = (
    "The data platform moves first.",
    "We wait for the new version of the core system.",
    "Half of the team helps with the year-end closing.",
)
RETURNED = (
    "No objection, if the retention period is written into the contract.",
    "Acceptable as long as a person decides. Note that in the description.",
    "Fine for the pilot. We look again before it goes to all regions.",
)
REFERRED = {
    "legal": "May we use these letters for this purpose? Please look at the contract as well.",
    "risk": "How bad is a wrong answer here, and would we notice in time?",
}
