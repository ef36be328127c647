"""The DiT of diffusers: one forward pass, or a whole training step."""

import torch
from diffusers import DiTTransformer2DModel

# dit-s-2: DiT-S/2 of Peebles and Xie at 256 pixels. shipped: the size of Ropewalk's avatars at 64 pixels.
SHAPES = {
    "dit-s-2": dict(batch=2, side=32, patch=2, channels=4, outputs=8, layers=12, heads=6, width=384),
    "shipped": dict(batch=64, side=64, patch=8, channels=3, outputs=3, layers=8, heads=4, width=256),
}


class DiT:
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
