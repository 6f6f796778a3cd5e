"""A population of widgets, to put load on the pipeline and to compare its records with what really happened.

`population` decides what happens and posts it, `envelopes` brings it to the gateway's door,
`send` puts it on the topic. Nothing here knows how the pipeline works.
"""
