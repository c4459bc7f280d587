"""The libraries for looping programs: one contract for all of them."""
