"""Security analyses: from counts or transmittances to a secret key length with a stated epsilon."""
