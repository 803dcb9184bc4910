"""Forms of checkpoint folders: pipelines that add to a plain one, and quantised parts."""
