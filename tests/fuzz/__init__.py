"""`make fuzz`: inputs of all kinds for whatever reads what others wrote (`__main__.py`)."""
