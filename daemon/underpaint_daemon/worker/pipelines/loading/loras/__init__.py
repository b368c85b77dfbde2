"""LoRAs: read from their files, named by the layers that they change, put onto networks."""
