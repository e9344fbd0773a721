"""Talk to the database of an experiment: tensors, datasets, models and scripts, as SmartRedis' client does."""
