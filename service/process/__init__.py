"""The process: tiers, questions, rules and pathways as one document, checked and compared."""
