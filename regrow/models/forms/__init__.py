"""Forms in which checkpoint folders come: in the hub's cache, quantised, under other pipelines' names."""
