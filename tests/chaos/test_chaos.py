"""A short run of chaos.py: every harm once."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "regress"))

from chaos import Chaos  # noqa: E402
from harms import ALL_HARMS  # noqa: E402


class ChaosTest(unittest.TestCase):
    def test_server_bears_every_harm_under_load(self):
        chaos = Chaos(seed="short", clients=4, max_tasks=40)
        chaos.start()
        self.addCleanup(chaos.stop)

        for _ in ALL_HARMS:
            chaos.round()


if __name__ == "__main__":
    unittest.main()
