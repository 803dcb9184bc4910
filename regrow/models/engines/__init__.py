"""Engines that compute a network: torch or OpenVINO."""
