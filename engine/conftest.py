"""Makes `varft_engine` importable in its tests without an installation."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
