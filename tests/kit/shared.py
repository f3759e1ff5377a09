"""Files that are too large, or not ours, to be in the repository.

They lie in `shared/`, next to the checkout. Where they are not, the tests that need them are left
out.
"""

from pathlib import Path

SHARED = Path(__file__).parents[2].parent / "shared"
INVENTORY = SHARED / "data" / "federal_ai_inventory_2024.csv"
DECLARATIONS = SHARED / "data" / "InternationalDeclarations.xes.gz"
CASES = SHARED / "cases"
