"""Those names of SmartSim's inside that drivers import nevertheless."""
