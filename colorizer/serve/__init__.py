"""A page in the browser: colours pictures, and asks people which of two images was real.

`page` puts the page together and `server` serves it; `offered` has its colorizers, `uploads` reads
what people drop there, `coloring` colours it; `two_afc` plans the pairs of a session, `pairs` has
their images, `answers` keeps what people say, and `fooling` makes rates with intervals of it.
"""
