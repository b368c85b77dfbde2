"""From views to texels: gather, blend, fill, and measures of the result."""
