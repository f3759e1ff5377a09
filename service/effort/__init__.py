"""Hours spent on a case: modelling what it should bring, and tracking what it does."""
