"""What every page needs: templates, forms, words, errors, who is signed in."""
