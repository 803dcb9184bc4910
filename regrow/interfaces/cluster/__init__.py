"""Ray clusters for batches and servers: connect, and check whether a machine can work for the driver."""
