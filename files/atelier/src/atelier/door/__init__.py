"""The door: launches are checked, learners are known, and sent where they may go."""
