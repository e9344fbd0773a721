"""SmartSim's words for databases of several servers and of one."""

CLUSTERED = "Clustered"
STANDALONE = "Standalone"
