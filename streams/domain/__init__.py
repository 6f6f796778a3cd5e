"""What happened, decided from what was posted: pure functions over plain values, standard library only."""
