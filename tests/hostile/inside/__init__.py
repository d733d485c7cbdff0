"""What runs inside a learner's container: see :mod:`hostile.inside.program`."""
