#!/usr/bin/env python3
import os

print("Content-Type: text/plain\n")
print("hello", os.environ["REQUEST_METHOD"])
