"""The HTTP edge: sockets, authentication, routes, and the CometD endpoint."""
