"""How llama.cpp names the weights of text encoders in GGUF files, and Mistral its own, and how
transformers does.

Sources: llama.cpp's tables of tensors (gguf-py, `tensor_mapping.py`); transformers' conversion of
Mistral's files (`convert_mistral_weights_to_hf.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_Maker = tuple[str, str, Mapping[str, str], Mapping[str, str]]
_T5 = {
    "attn_q": "layer.0.SelfAttention.q",
    "attn_k": "layer.0.SelfAttention.k",
    "attn_v": "layer.0.SelfAttention.v",
    "attn_o": "layer.0.SelfAttention.o",
    "attn_norm": "layer.0.layer_norm",
    "attn_rel_b": "layer.0.SelfAttention.relative_attention_bias",
    "ffn_gate": "layer.1.DenseReluDense.wi_0",
    "ffn_up": "layer.1.DenseReluDense.wi_1",
    "ffn_down": "layer.1.DenseReluDense.wo",
    "ffn_norm": "layer.1.layer_norm",
}
_LANGUAGE = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "attn_norm": "input_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "ffn_norm": "post_attention_layernorm",
}
# The part of Qwen 2.5 VL that sees, in a file of its own (mmproj); queries, keys and values apart.
_EYES = {
    "attn_q": "attn.q",
    "attn_k": "attn.k",
    "attn_v": "attn.v",
    "attn_qkv": "attn.qkv",
    "attn_out": "attn.proj",
    "ln1": "norm1",
    "ln2": "norm2",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_MISTRAL = {
    "attention.wq": "self_attn.q_proj",
    "attention.wk": "self_attn.k_proj",
    "attention.wv": "self_attn.v_proj",
    "attention.wo": "self_attn.o_proj",
    "attention_norm": "input_layernorm",
    "feed_forward.w1": "mlp.gate_proj",
    "feed_forward.w3": "mlp.up_proj",
    "feed_forward.w2": "mlp.down_proj",
    "ffn_norm": "post_attention_layernorm",
}
OF_MISTRAL = "layers.0.attention.wq.weight"
"""A weight by the name that it has in the file that Mistral publishes."""
# By how a file's blocks begin: theirs in transformers, the layers in them, those outside of them.
_CONSOLIDATED: _Maker = (
    "layers.",
    "model.layers.",
    _MISTRAL,
    {"tok_embeddings": "model.embed_tokens", "norm": "model.norm", "output": "lm_head"},
)
_MAKERS: tuple[_Maker, ...] = (
    (
        "enc.blk.",
        "encoder.block.",
        _T5,
        {"token_embd": "shared", "enc.output_norm": "encoder.final_layer_norm"},
    ),
    (
        "v.blk.",
        "visual.blocks.",
        _EYES,
        {
            "v.patch_embd": "visual.patch_embed.proj",
            "v.patch_embd.weight": "visual.patch_embed.proj.weight",
            "v.post_ln": "visual.merger.ln_q",
            "mm.0": "visual.merger.mlp.0",
            "mm.2": "visual.merger.mlp.2",
        },
    ),
    (
        "blk.",
        "model.layers.",
        _LANGUAGE,
        {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"},
    ),
)

# How transformers saves models that see, and how their makers released them.
_SAVED = (
    ("language_model.model.", "model."),
    ("language_model.lm_head.", "lm_head."),
    ("model.language_model.", "model."),
    ("model.visual.", "visual."),
)


def named_as_released(names: Iterable[str]) -> dict[str, str]:
    """A file's weights by transformers' names; by their own where they are no text encoder's of
    llama.cpp or Mistral. What transformers has no place for (rope's frequencies) is left out."""
    found = list(names)
    for start, block, layers, outside in (_CONSOLIDATED,) if OF_MISTRAL in found else _MAKERS:
        if any(name.startswith(start) for name in found):
            made = {_renamed(name, start, block, layers, outside): name for name in found}
            made.pop("", None)
            return made
    return {_unsaved(name): name for name in found}


def _unsaved(name: str) -> str:
    start, plain = next((one for one in _SAVED if name.startswith(one[0])), ("", ""))
    return plain + name.removeprefix(start)


def _renamed(
    name: str, start: str, block: str, layers: Mapping[str, str], outside: Mapping[str, str]
) -> str:
    layer, _, ending = name.rpartition(".")
    if not name.startswith(start):
        return f"{outside[layer]}.{ending}" if layer in outside else ""
    number, _, inner = layer.removeprefix(start).partition(".")
    return f"{block}{number}.{layers[inner]}.{ending}" if inner in layers else ""
