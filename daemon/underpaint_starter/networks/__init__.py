"""The networks: their layout, tokenizer, closed-form code, painting and export."""
