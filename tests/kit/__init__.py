"""What tests of several kinds share with `make dev`: a site as processes of this machine."""
