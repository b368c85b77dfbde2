"""Animation: a range of frames painted so that paint stays on its surface.

Each pixel knows where on which surface it lies (`tracks`), so where that spot was in any other
frame is exact (`motion`), however objects, meshes and camera move. What earlier frames painted is
brought along (`memory`), what none of them saw is painted (`sequence`), and how much a series
flickers is measured by the same motion (`flicker`).
"""
