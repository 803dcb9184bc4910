"""Forms in which checkpoint folders come: in the hub's cache, quantised, under pipelines that add to a plain one."""
