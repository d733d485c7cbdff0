"""What a hostile learner's page tries on whoever opens it, and what becomes of it."""
