"""`make chaos`: a gateway under a steady load of real sessions, and faults; who loses what is counted.

`faults/` is the table of faults, a file for each group. `load` are the visitors, `book` what they know and how
their answers are judged, `scene` the gateway with its programs, `remains` what is left behind, `series` one
fault many times, `report` the figures.
"""
