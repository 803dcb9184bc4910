"""Jobs of the server: requests, the queue, the worker that runs them, and events about them."""
