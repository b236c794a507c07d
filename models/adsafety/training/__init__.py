"""How the shipped versions of the model `adsafety` were made: drawn pictures, a small network, calibration, export."""
