"""The Llama of transformers, which LlamaGen's network is, drawing one guided picture with its own cache."""

import torch
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM

# gpt-b: LlamaGen-B of Sun et al. avatars-ar: the shape of Ropewalk's model of tokens at 64 pixels.
SHAPES = {
    "gpt-b": dict(codes=16384, width=768, hidden=2048, layers=12, heads=12, prefix=1),
    "avatars-ar": dict(codes=1024, width=256, hidden=704, layers=8, heads=4, prefix=16),
}
TOKENS = 256
GUIDANCE = 2


class Llama:
    """A network of one shape; the tokens of its condition are some of the codes."""

    def __init__(self, codes, width, hidden, layers, heads, prefix):
        config = LlamaConfig(
            vocab_size=codes,
            hidden_size=width,
            intermediate_size=hidden,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            max_position_embeddings=prefix + TOKENS,
            pad_token_id=None,
            bos_token_id=None,
            eos_token_id=None,
        )
        self.model = LlamaForCausalLM(config).eval()
        self.condition = torch.arange(2 * prefix).reshape(2, prefix)

    @torch.inference_mode()
    def draw(self):
        cache = DynamicCache(config=self.model.config)
        tokens = self.condition  # the rows are the picture and its null condition
        for _ in range(TOKENS):
            logits = self.model(tokens, cache=cache, use_cache=True, logits_to_keep=1).logits
            conditional, free = logits[:, -1]
            law = torch.softmax(free + GUIDANCE * (conditional - free), -1)
            tokens = torch.multinomial(law, 1).expand(2, 1)
