"""Who is served when."""
