"""What a front counts of its own work: plain integers and histograms, read when somebody asks for them."""
