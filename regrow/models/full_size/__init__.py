"""Full-size picture checkpoints with random weights, to measure cost, which does not depend on the weights."""
