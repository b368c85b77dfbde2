"""The starter model: data, training, evaluation."""
