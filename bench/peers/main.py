"""Times networks of diffusers and transformers in eager PyTorch, float32, on the CPU.

Reads one request a line and answers each with one line of JSON, so that its runs can alternate with ours:

    info              -> {"torch": "2.15.0", "diffusers": "0.42.1", "transformers": "5.24.0", "threads": 2}
    forward dit-s-2   -> {"ms": 112.3}     one forward pass without gradients
    train shipped     -> {"ms": 880.1}     forward, backward and one step of AdamW
    draw gpt-b        -> {"ms": 2500.7}    256 tokens of a guided picture, one a pass
    sgemm 1024        -> {"ms": 7.1}       a product of two square matrices

    python main.py THREADS
"""

import json
import sys
import time

import diffusers
import torch
import transformers

import dit
import llama

# By request: the networks that it is for, and the runs that warm up (a drawing is 256 passes).
REQUESTS = {
    "forward": (dit.DiT, dit.SHAPES, 3),
    "train": (dit.DiT, dit.SHAPES, 3),
    "draw": (llama.Llama, llama.SHAPES, 1),
}


def milliseconds(run):
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1e3


def sgemm(size):
    a, b = torch.randn(size, size), torch.randn(size, size)
    return lambda: torch.matmul(a, b)


def prepare(what, shape):
    """What a request runs, after the first runs, in which memory is allocated and kernels are chosen."""
    if what == "sgemm":
        run, warm = sgemm(int(shape)), 3
    else:
        network, shapes, warm = REQUESTS[what]
        run = getattr(network(**shapes[shape]), what)
    for _ in range(warm):
        run()
    return run


def answer(what, shape, runs):
    if what == "info":
        modules = dict(torch=torch, diffusers=diffusers, transformers=transformers)
        versions = {name: module.__version__ for name, module in modules.items()}
        return dict(versions, threads=torch.get_num_threads())
    if what != "sgemm" and shape not in REQUESTS.get(what, (None, {}))[1]:
        return dict(error=f"unknown request: {what} {shape}")
    if (what, shape) not in runs:
        runs[what, shape] = prepare(what, shape)
    return dict(ms=milliseconds(runs[what, shape]))


def main():
    torch.manual_seed(0)
    torch.set_num_threads(int(sys.argv[1]))
    runs = {}
    for line in sys.stdin:
        what, shape = (line.split() + ["", ""])[:2]
        print(json.dumps(answer(what, shape, runs)), flush=True)


main()
