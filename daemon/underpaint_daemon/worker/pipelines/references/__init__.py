"""Reference pictures: beside the words, through IP-Adapters, through the attention of a UNet."""
