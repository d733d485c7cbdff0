"""The test world: images, targets and the demo site, driven from the machine with the checkout.

Standard library only: `make demo` runs it before anything is known to work.
"""
