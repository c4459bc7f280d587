"""`make fuzz`: inputs of all kinds for whatever reads what others wrote; README of the parts in `__main__.py`."""
