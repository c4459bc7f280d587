"""What the gateway answers by itself: pages and files."""
