"""Loss and noise between the satellite's source and the station's detectors."""
