"""The demo site as its visitors see it: browsers and HTTP clients outside, the target inside."""
