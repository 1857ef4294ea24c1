"""Source and receiver models: click and error statistics per pulse, and expected counts."""
