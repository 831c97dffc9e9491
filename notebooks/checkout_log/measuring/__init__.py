"""What the measures are made of: questions asked of a log, levels of use, signs of life. Analysts call the modules outside."""
