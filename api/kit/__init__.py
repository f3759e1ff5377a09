"""What every part of the API needs: who asks, bodies, problems."""
