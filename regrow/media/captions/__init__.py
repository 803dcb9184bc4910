"""The files of training sets and the captions beside them."""
