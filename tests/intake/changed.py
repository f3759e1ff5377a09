"""A workflow that was changed so that it can no longer replay what earlier ones recorded."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from service.domain.decision import Beginning
    from workflows.intake.workflow import UseCaseWorkflow
    from workflows.names import Name


@workflow.defn(name=Name.WORKFLOW.value)
class ChangedWorkflow(UseCaseWorkflow):
    """Waits before it does anything: a timer that no history has."""

    @workflow.init
    def __init__(self, beginning: Beginning) -> None:
        super().__init__(beginning)

    @workflow.run
    async def run(self, beginning: Beginning) -> None:
        """Wait, then go on as before."""
        await workflow.sleep(1)
        await super().run(beginning)
