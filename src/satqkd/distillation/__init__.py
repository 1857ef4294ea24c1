"""Key distillation: from detections to the same secret key at both ends."""
