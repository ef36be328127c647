/**
 * Pictures as rows of patches (Dosovitskiy et al. 2021, eq. 1) without loss: what a diffusion
 * transformer works on, and the first and last step of the patch transformer. No tokenizer by itself,
 * for its numbers are real.
 */
import type { Tensor } from '../../tensor/tf.ts';

/** [B, H, W, C] -> [B, T, C p p], the order of a convolution's weights. */
export function patchify(x: Tensor, patch: number): Tensor {
  const [B, H, W, C] = x.shape as [number, number, number, number];
  const [h, w] = [H / patch, W / patch];
  return x
    .reshape([B, h, patch, w, patch, C])
    .transpose([0, 1, 3, 5, 2, 4]) // [B, h, w, C, p, p]
    .reshape([B, h * w, C * patch * patch]);
}

/** [B, T, p p C] -> [B, H, W, C]: channels last inside a patch, as DiT's last layer has them. */
export function unpatchify(x: Tensor, patch: number, H: number, W: number): Tensor {
  const B = x.shape[0]!;
  const channels = x.shape[2]! / (patch * patch);
  return x
    .reshape([B, H / patch, W / patch, patch, patch, channels])
    .transpose([0, 1, 3, 2, 4, 5])
    .reshape([B, H, W, channels]);
}

/** [B, T, C p p] -> [B, H, W, C]: undoes `patchify`; FiT's last layer has this order too. */
export function unpatchifyChannels(x: Tensor, patch: number, H: number, W: number): Tensor {
  const B = x.shape[0]!;
  const channels = x.shape[2]! / (patch * patch);
  return x
    .reshape([B, H / patch, W / patch, channels, patch, patch])
    .transpose([0, 1, 4, 2, 5, 3]) // [B, h, p, w, p, C]
    .reshape([B, H, W, channels]);
}
