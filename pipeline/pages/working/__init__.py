"""What a working page adds to the tables of a network: what its members share and how they join, each of them day by day, look-alikes, other thresholds.

`bench` cuts the run's tables by network once for all pages; each other module makes one block of the page out of it. Nothing is judged here but by the
run's own rule on the run's own tables, and no stage is run again: `stillhunt whatif` does that.
"""
