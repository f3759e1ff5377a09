"""What reports rest on: cases as they were known on a day, their steps, their counts."""
