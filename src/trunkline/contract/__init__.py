"""The wire contract: JSON of the Web Services API and ``GSW_*`` user data, to and from values of the domain.

The only room with wire names. Nothing here waits, reads a clock or knows who is asking.
"""
