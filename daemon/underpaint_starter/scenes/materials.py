"""All materials by name."""

from underpaint_starter.scenes import flats, solids
from underpaint_starter.scenes.surfaces import Look, Material, Samples, Surface

__all__ = ["MATERIALS", "Look", "Material", "Samples", "Surface"]

MATERIALS: dict[str, Material] = {
    "plain": solids.plain,
    "plastic": solids.plastic,
    "brick": flats.brick,
    "wooden": solids.wooden,
    "planks": flats.planks,
    "bark": solids.bark,
    "marble": solids.marble,
    "stone": solids.stone,
    "concrete": solids.concrete,
    "mossy": solids.mossy,
    "cracked": solids.cracked,
    "tiles": flats.tiles,
    "rusty": solids.rusty,
    "metal": solids.metal,
    "chrome": solids.chrome,
    "gold": solids.gold,
    "copper": solids.copper,
    "leather": solids.leather,
    "woven": flats.woven,
    "scales": flats.scales,
    "fur": solids.fur,
    "leaves": flats.leaves,
    "striped": flats.striped,
    "zigzag": flats.zigzag,
    "checkered": flats.checkered,
    "spotted": flats.spotted,
    "clay": solids.clay,
    "glass": solids.glass,
    "lava": solids.lava,
    "ice": solids.ice,
}
