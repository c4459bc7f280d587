"""Helper libraries for looping programs, one file each, to be copied next to a program."""

import os

FOLDER = os.path.dirname(os.path.abspath(__file__))
