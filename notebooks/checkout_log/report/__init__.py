"""The page to hand on: notebooks are run, and what they show is put on one page. Makes no figure of its own."""
