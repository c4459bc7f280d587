#!/usr/bin/env python3
import os

count = 0
if __name__ == "__main__":
    count += 1
    handle = os.environ.get("HTSESSION_HANDLE") or os.environ["HTSESSION_NEXT_HANDLE"]
    if os.environ["QUERY_STRING"] != "end":
        print(f"Accept-HTSession: {handle}")
    print(f"Content-Type: text/html\n\n<!doctype html><title>{count}</title><p>{handle}<p>{os.getpid():0120d}")
