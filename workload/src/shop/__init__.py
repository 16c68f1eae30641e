"""A small shop: products from a catalogue service, orders that are priced and answered.

It is the first thing that goes through the delivery system, and shows what the system gives an application: identity,
secrets, metrics, traces and logs. It keeps no state, so that any pod may answer any request.
"""
