"""HTTP in: dialects, authentication, CORS, limits; serves the browser script.

Imports model, config, observe, script and queue.
"""
