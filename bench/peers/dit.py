"""Times the DiT of diffusers in eager PyTorch, float32, on the CPU.

Reads one request a line and answers each with one line of JSON, so that its runs can alternate with ours:

    info              -> {"torch": "2.15.0", "diffusers": "0.42.1", "threads": 2}
    forward dit-s-2   -> {"ms": 112.3}     one forward pass without gradients
    train shipped     -> {"ms": 880.1}     forward, backward and one step of AdamW
    sgemm 1024        -> {"ms": 7.1}       a product of two square matrices

    python dit.py THREADS
"""

import json
import sys
import time

import diffusers
import torch
from diffusers import DiTTransformer2DModel

# dit-s-2: DiT-S/2 of Peebles and Xie at 256 pixels. shipped: the size of Ropewalk's avatars at 64 pixels.
SHAPES = {
    "dit-s-2": dict(batch=2, side=32, patch=2, channels=4, outputs=8, layers=12, heads=6, width=384),
    "shipped": dict(batch=64, side=64, patch=8, channels=3, outputs=3, layers=8, heads=4, width=256),
}


class Bench:
    """A network of one shape, its optimiser and one batch."""

    def __init__(self, batch, side, patch, channels, outputs, layers, heads, width):
        self.model = DiTTransformer2DModel(
            num_attention_heads=heads,
            attention_head_dim=width // heads,
            in_channels=channels,
            out_channels=outputs,
            num_layers=layers,
            sample_size=side,
            patch_size=patch,
        )
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=1e-4)
        self.picture = torch.randn(batch, channels, side, side)
        self.target = torch.randn(batch, outputs, side, side)
        self.time = torch.randint(0, 1000, (batch,))
        self.label = torch.randint(0, 1000, (batch,))

    def predict(self):
        return self.model(self.picture, timestep=self.time, class_labels=self.label).sample

    def forward(self):
        self.model.eval()
        with torch.no_grad():
            self.predict()

    def train(self):
        self.model.train()
        loss = torch.nn.functional.mse_loss(self.predict(), self.target)
        loss.backward()
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)


def milliseconds(run):
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1e3


def sgemm(size):
    a, b = torch.randn(size, size), torch.randn(size, size)
    return lambda: torch.matmul(a, b)


def answer(what, shape, runs):
    if what == "info":
        versions = dict(torch=torch.__version__, diffusers=diffusers.__version__)
        return dict(versions, threads=torch.get_num_threads())
    if (what, shape) not in runs:
        if what == "sgemm":
            run = sgemm(int(shape))
        elif what in ("forward", "train") and shape in SHAPES:
            run = getattr(Bench(**SHAPES[shape]), what)
        else:
            return dict(error=f"unknown request: {what} {shape}")
        runs[what, shape] = run
        for _ in range(3):  # memory is allocated and kernels are chosen in the first runs
            run()
    return dict(ms=milliseconds(runs[what, shape]))


def main():
    torch.manual_seed(0)
    torch.set_num_threads(int(sys.argv[1]))
    runs = {}
    for line in sys.stdin:
        what, shape = (line.split() + ["", ""])[:2]
        print(json.dumps(answer(what, shape, runs)), flush=True)


main()
