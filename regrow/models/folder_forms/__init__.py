"""Forms of checkpoint folders: in the hub's cache, quantised, or saved under a pipeline that extends a plain one."""
