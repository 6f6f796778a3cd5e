"""One extension's part in a call: witnesses tell sightings, sightings become evidence, evidence is resolved into facts.

A witness is a module that turns posts of its family into sightings (`web_phone`). Evidence is kept per dialog, what one
witness told in one page load. `resolve` reads state, instants and outcome off the evidence, whatever order it came in.
"""
