"""Write tests/golden/classic_trajectory.json anew, from PyTorch: python tests/core/make_golden.py"""

import json

import torch
from torch_twin import trajectory
from trajectory import GOLDEN


def main() -> None:
    GOLDEN.write_text(json.dumps(trajectory(torch.float64).to_golden(), indent=1) + "\n")


if __name__ == "__main__":
    main()
