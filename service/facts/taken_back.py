"""What was taken back, for SQL: the same as `service.domain.clock.what_counts`."""

# A subject is a number on these rows alone. The index is partial: there are few of them.
TAKEN_BACK = """
    SELECT 1 FROM transition AS back
    WHERE back.use_case_id = step.use_case_id AND step.sequence <= back.sequence
      AND back.command IN ('take_back', 'release') AND back.subject <> ''
      AND step.sequence >= CASE WHEN back.command IN ('take_back', 'release')
                                 AND back.subject <> '' THEN back.subject::int END
"""
"""Whether `step` was taken back, or takes back; for `EXISTS`."""
