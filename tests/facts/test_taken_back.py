"""What was taken back is in no count, no step and no forecast; on the database's own clock."""

from datetime import timedelta

from sqlalchemy import text

from service.domain.cohort import INTAKE, Cohort
from service.domain.commands import Command
from service.domain.lifecycle import RULES, Move, play
from service.domain.people import Person, Role
from service.domain.trace import steps
from service.facts.as_of import Moment
from service.facts.every_case import next_cases
from service.facts.traces import traces_of
from service.intake.outbox import beginning
from service.reactions import record
from tests.kit.desk import DAY, START, Desk

TALLIES = text(
    "SELECT kind, tier, stage, holder, working, rework, detail, day, sum(n), sum(microseconds) "
    "FROM tally_entry GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 "
    "HAVING sum(n) <> 0 OR sum(microseconds) <> 0 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8"
)


async def _moved(desk: Desk, key: str, who: Person, command: Command, after: timedelta) -> None:
    async with desk.sessions.begin() as session:
        standing = (await beginning(session, key)).standing
        move = Move(command, who.actor, reason="because", rules=RULES)
        played = play(standing, move, standing.at + after)
        await record(session, played.standing, played.transitions)


async def test_counts_steps_and_traces_are_as_if_nothing_had_been_decided(desk: Desk) -> None:
    builder, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    case = (await desk.hand_in(builder)).use_case_id
    async with desk.sessions() as session:
        before = (await session.execute(TALLIES)).all()

    for decided in (Command.CLAIM, Command.APPROVE, Command.DECLINE):
        await _moved(desk, case, ada, decided, DAY)
        await _moved(desk, case, ada, Command.TAKE_BACK, timedelta(seconds=7))

    async with desk.sessions() as session:
        assert (await session.execute(TALLIES)).all() == before
        log = (await beginning(session, case)).log
        assert len(log) == 7, "and everything that happened is written"
        walked = await next_cases(session, 0, most=10)
        assert [one.steps for one in walked] == [steps(log)]
        at = START + 10 * DAY
        traces = (await traces_of(session, Cohort(INTAKE), Moment(at, asked=True))).traces
        assert (traces.begin_days.tolist(), traces.end_days.tolist()) == ([0.0], [10.0])
        while_declined = START + 3 * DAY + timedelta(seconds=15)
        known = (
            await traces_of(session, Cohort(INTAKE), Moment(while_declined, asked=True))
        ).traces
        assert known.begin_days.size == 1
