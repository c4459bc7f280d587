"""`make soak`: sessions that come and go for a long time, and whether anything grows."""
