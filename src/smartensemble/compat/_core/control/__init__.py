"""What drivers import from ``smartsim._core.control``."""
